# Sourced by the demos: how they ask the service, and how they hold what they saw against it.
# PLMS_URL and PLMS_REGISTRY say where it is; PYTHON is a Python 3, without any package.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

plms() { "${PYTHON:-python3}" -I "$here/plms.py" "$@"; }

new_key() { echo "demo-$(date +%s)-$$-$RANDOM"; }

# expect WHAT SEEN WANTED
expect() {
    if [ "$2" != "$3" ]; then
        echo "✗ $1 is $2, not $3" >&2
        exit 1
    fi
}

# differ WHAT SEEN OTHER
differ() {
    if [ "$2" = "$3" ]; then
        echo "✗ $1 is $2 both times" >&2
        exit 1
    fi
}
