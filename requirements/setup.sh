#!/bin/sh
# Installs uv into .uv/, and Python 3.13 with the locked requirements into .venv/. If there is npm,
# it also installs the packages of tests/judges/javascript. It does nothing while all are current.
# It needs some Python 3 with venv, and Python 3.13; it downloads no Python.
# make runs it from the root of the repository. `setup.sh uv` installs only uv.
set -eu

VERSION=$(cat .python-version)
JAVASCRIPT=tests/judges/javascript

stop() {
    echo "setup: $*" >&2
    exit 1
}

# The installation depends on these files, and on the path of the repository: an editable install
# holds that path, so a copied tree would otherwise run the code of the original.
stamp() {
    pwd -P
    cksum .python-version pyproject.toml requirements/setup.sh requirements/*.txt \
        $JAVASCRIPT/package-lock.json
}

# Prints a Python that can make a virtual environment. It is looked up from /, because here a pyenv
# shim would obey our .python-version, and fail if that version is missing.
some_python() {
    for name in python3 /usr/bin/python3 /usr/local/bin/python3 "python$VERSION" python; do
        (cd / && "$name" -c '
import ensurepip, sys, venv
assert sys.version_info >= (3, 8)
print(sys.executable)' 2>/dev/null) && return
    done
    return 1
}

# Prints the Python that offhook runs on. uv finds it, or pyenv has it without showing it.
right_python() {
    .uv/bin/uv python find --system --no-project --no-python-downloads "$VERSION" 2>/dev/null &&
        return
    for python in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$VERSION".*/bin/python; do
        [ -x "$python" ] && echo "$python" && return
    done
    return 1
}

bring_uv() {
    rm -rf .uv
    python=$(some_python) ||
        stop "found no Python 3.8 or later with venv; install it (Debian: apt install python3-venv)"
    "$python" -m venv .uv
    .uv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
        --require-hashes -r requirements/uv.txt || stop "uv could not be installed (see above)"
}

bring_venv() {
    python=$(right_python) ||
        stop "found no Python $VERSION; install it with your package manager, or with" \
            "pyenv install $VERSION"
    .uv/bin/uv venv --quiet --clear --no-project --python "$python" .venv
}

# --python, because uv would otherwise install into an activated environment. uv's cache is tried
# first, so that an edited pyproject.toml needs no network.
uv_pip() {
    verb=$1
    shift
    set -- "$verb" --quiet --python .venv/bin/python "$@"
    .uv/bin/uv --offline pip "$@" 2>/dev/null || .uv/bin/uv pip "$@"
}

install() {
    uv_pip sync --require-hashes --only-binary :all: requirements/dev.txt ||
        stop "the locked requirements could not be installed (see above)"
    uv_pip install --no-deps --no-build-isolation --editable .
    uv_pip install --require-hashes --only-binary :all: --no-deps -r requirements/pipecat.txt ||
        stop "the locked requirements could not be installed (see above)"
    # This part has no wheels. It is compiled with build tools that dev.txt locks too.
    uv_pip install --require-hashes --no-deps --no-build-isolation -r requirements/compiled.txt \
        2>.venv/compiled.log || without_pesq
    bring_javascript || without_javascript
}

without_pesq() {
    what="pesq, which measures speech quality and needs a C compiler and Python's headers"
    [ "${CI:-}" != true ] || stop "$what (see .venv/compiled.log)"
    echo "setup: left out $what (Debian: apt install gcc python3-dev); then: make clean setup" >&2
}

# npm's cache is tried first too. No install scripts run, because the tests need nothing built.
bring_javascript() {
    npm ci --prefix $JAVASCRIPT --ignore-scripts --prefer-offline --no-audit --no-fund >/dev/null
} 2>.venv/npm.log

without_javascript() {
    what="@google/genai, which a test uses and which needs npm and its registry"
    [ "${CI:-}" != true ] || stop "$what (see .venv/npm.log)"
    echo "setup: left out $what (Debian: apt install nodejs npm); then: make clean setup" >&2
}

current() {
    [ -x .venv/bin/offhook ] && [ -x .venv/bin/python ] && [ -f .venv/stamp ] &&
        [ "$(stamp)" = "$(cat .venv/stamp)" ]
}

have_uv() { .uv/bin/uv --version >/dev/null 2>&1; }

# True if .venv was finished, at this path, and its interpreter still exists and is the right one.
# Otherwise it is created again, because its scripts contain the path at which it was created.
have_venv() {
    [ "$(head -n 1 .venv/stamp 2>/dev/null)" = "$(pwd -P)" ] &&
        [ "$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = "$VERSION" ]
} 2>/dev/null

if [ "${1:-}" = uv ]; then
    have_uv || bring_uv
elif ! current; then
    have_uv || bring_uv
    have_venv || bring_venv
    install
    stamp >.venv/stamp
fi
