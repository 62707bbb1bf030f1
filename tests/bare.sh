#!/bin/sh
# Runs setup and every test in a scratch clone of what is committed, on a PATH that holds nothing but
# the programs below: what a new machine needs to have. A test that needs another one fails.
#     tests/bare.sh                all that `make test` runs
#     tests/bare.sh TESTS...       these tests alone
# The home folder is kept, for its caches and for a Python 3.13 of pyenv.
set -eu

# Each with the reason why it may be there. /bin/sh is there too: make and scripts name its path.
PROGRAMS="
git     # tests ask it what is tracked, plant faults with git apply
make    # the way in
awk     # make help
cat     # setup: is what is installed current?
cksum   # setup: the same
head    # setup: the same
rm      # setup: removes what is not current
find    # make clean: caches in every folder
"

stop() {
    echo "bare: $*" >&2
    exit 1
}

# From / because a pyenv shim obeys our .python-version, and fails where that version is missing.
python_itself() { (cd / && "$1" -c "$2; import sys; print(sys.executable)") 2>/dev/null; }

# An interpreter finds its library from its own path, so it is called by that, and not linked.
provide_python() {
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$2" >"$bin/$1"
    chmod +x "$bin/$1"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
bin=$scratch/bin clone=$scratch/offhook
mkdir "$bin"

for name in $(echo "$PROGRAMS" | sed 's/#.*//'); do
    path=$(command -v "$name") || stop "no $name on the PATH"
    ln -s "$path" "$bin/$name"
done
for python in python3 /usr/bin/python3; do # some Python 3 with venv, which setup makes .uv/ with
    path=$(python_itself "$python" "import ensurepip, venv") && provide_python python3 "$path" && break
done
# The one offhook runs on; where it is not on the PATH, setup looks for pyenv's.
path=$(python_itself python3.13 "pass") && provide_python python3.13 "$path"

git clone --quiet . "$clone"
[ -z "$(git status --porcelain)" ] || echo "bare: what is not committed is not in the clone" >&2
cd "$clone"
export PATH="$bin"
unset CI MAKEFLAGS MFLAGS MAKELEVEL PYTHONHOME PYTHONPATH VIRTUAL_ENV
make setup
# It needs a compiler, and is here nevertheless where uv's cache has it from a time with one.
.uv/bin/uv pip uninstall --quiet --python .venv/bin/python pesq
if [ $# -eq 0 ]; then
    make test
else
    .venv/bin/pytest "$@"
fi
