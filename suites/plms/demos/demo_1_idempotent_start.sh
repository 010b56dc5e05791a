#!/usr/bin/env bash
# Demo 1: a start that is repeated with its key begins nothing; one with a new key does.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

key=$(new_key)
answer=$(plms start 941 "$key")
read -r status first replay <<< "$answer"
expect "the status of the first call" "$status" submitted
expect "the replay flag of the first call" "$replay" false
differ "the run of the first call" "$first" none
echo "✓ First call: status=$status, run_id=$first"

answer=$(plms start 941 "$key")
read -r status again replay <<< "$answer"
expect "the replay flag of the second call" "$replay" true
expect "the run of the second call" "$again" "$first"
echo "✓ Second call, same key: Idempotent-Replay=$replay, run_id=$again, unchanged"

answer=$(plms start 941 "$(new_key)")
read -r status other replay <<< "$answer"
expect "the status of the third call" "$status" submitted
differ "the run" "$other" "$first"
echo "✓ Third call, new key: status=$status, run_id=$other, new"
