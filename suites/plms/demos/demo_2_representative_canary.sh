#!/usr/bin/env bash
# Demo 2: one percent of a project's tasks represents every stratum of them, and is enough to
# project what the whole will take.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

answer=$(plms simulate 942 0.01)
read -r coverage rehearsed projected risk <<< "$answer"
expect "the coverage of strata" "$coverage" 1.0
echo "✓ Rehearsal of 1 %: strata_coverage=$coverage, every stratum is represented"
plms near "$projected" 15000 10
plms near "$((rehearsed * 100))" "$projected" 10
echo "✓ Projected: $projected tokens, 100 times the $rehearsed tokens of the rehearsal"
plms below "$risk" 0.2
echo "✓ Risk score $risk, below 0.2"
