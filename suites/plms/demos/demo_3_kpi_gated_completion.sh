#!/usr/bin/env bash
# Demo 3: a run with failing tests is not completed and teaches nothing; once repaired, it does both.
# DEMO_REPORTS is a folder that keeps the reports of the tests.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reports=${DEMO_REPORTS:-$work}
cp -R "$here/project" "$work/project"

run_tests() { "${PYTHON:-python3}" -I "$here/run_tests.py" "$work/project" "$1"; }

exited=0
run_tests "$reports/phase1.xml" || exited=$?
echo "Phase 1: tests of the broken project, exit $exited"
expect "the exit status of failing tests" "$exited" 1
answer=$(plms start 943 "$(new_key)" "$reports/phase1.xml")
read -r status broken replay <<< "$answer"
answer=$(plms outcome 943 "$broken" test_pass_rate)
read -r status rate verdict priors <<< "$answer"
expect "the verdict on the broken run" "$verdict" fail
differ "the status of the broken run" "$status" completed
expect "the number of priors from the broken run" "$priors" 0
echo "✓ KPI validator catches run_id=$broken: test_pass_rate=$rate, status=$status"

cp "$here/fixed/slug.py" "$work/project/slug.py"
exited=0
run_tests "$reports/phase2.xml" || exited=$?
echo "Phase 2: tests of the repaired project, exit $exited"
expect "the exit status of passing tests" "$exited" 0
answer=$(plms start 943 "$(new_key)" "$reports/phase2.xml")
read -r status repaired replay <<< "$answer"
answer=$(plms outcome 943 "$repaired" test_pass_rate)
read -r status rate verdict priors <<< "$answer"
expect "the verdict on the repaired run" "$verdict" pass
expect "the pass rate of the repaired run" "$rate" 1.0
expect "the status of the repaired run" "$status" completed
echo "✓ KPI validator passes run_id=$repaired: test_pass_rate=$rate, status=$status"
differ "the number of priors from the repaired run" "$priors" 0
echo "✓ Calibration accepts run_id=$repaired: priors updated"
