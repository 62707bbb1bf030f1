#!/bin/sh
# Brings uv into .uv/, Python 3.13 with the locked requirements into .venv/, and where there is npm
# the packages of tests/judges/javascript into its node_modules/; does nothing while they are
# current. Needs some Python 3 with venv, and Python 3.13; downloads no Python.
# Run by make, from the root of the repository; `setup.sh uv` brings uv alone.
set -eu

VERSION=$(cat .python-version)
JAVASCRIPT=tests/judges/javascript

stop() {
    echo "setup: $*" >&2
    exit 1
}

# What is installed depends on these. The path is among them because an editable install holds it:
# a copied tree would otherwise run the code of the original.
stamp() {
    pwd -P
    cksum .python-version pyproject.toml requirements/setup.sh requirements/*.txt \
        $JAVASCRIPT/package-lock.json
}

# An interpreter that can make a virtual environment. Looked up from / because a pyenv shim obeys
# our .python-version, and fails here where that version is missing.
some_python() {
    for name in python3 /usr/bin/python3 /usr/local/bin/python3 "python$VERSION" python; do
        (cd / && "$name" -c '
import ensurepip, sys, venv
assert sys.version_info >= (3, 8)
print(sys.executable)' 2>/dev/null) && return
    done
    return 1
}

# The interpreter offhook runs on: one that uv finds, or one that pyenv has but does not show.
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
        stop "no Python 3.8 or later with venv; install it (Debian: apt install python3-venv)"
    "$python" -m venv .uv
    .uv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
        --require-hashes -r requirements/uv.txt || stop "uv could not be installed (see above)"
}

bring_venv() {
    python=$(right_python) ||
        stop "no Python $VERSION; install it with your package manager or pyenv install $VERSION"
    .uv/bin/uv venv --quiet --clear --no-project --python "$python" .venv
}

# --python, because an activated environment elsewhere would be taken otherwise. First from uv's
# cache: an edited pyproject.toml is no reason to need the network.
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
    # The one part without wheels: it is compiled, by build tools that dev.txt has locked too.
    uv_pip install --require-hashes --no-deps --no-build-isolation -r requirements/compiled.txt \
        2>.venv/compiled.log || without_pesq
    bring_javascript || without_javascript
}

without_pesq() {
    what="pesq, which judges the quality of speech, needs a C compiler and Python's headers"
    [ "${CI:-}" != true ] || stop "$what (see .venv/compiled.log)"
    echo "setup: left out $what (Debian: apt install gcc python3-dev); then: make clean setup" >&2
}

# From npm's cache first, as above. No scripts: nothing that the tests need has to be built.
bring_javascript() {
    npm ci --prefix $JAVASCRIPT --ignore-scripts --prefer-offline --no-audit --no-fund >/dev/null
} 2>.venv/npm.log

without_javascript() {
    what="@google/genai, which a test talks to, needs npm and its registry"
    [ "${CI:-}" != true ] || stop "$what (see .venv/npm.log)"
    echo "setup: left out $what (Debian: apt install nodejs npm); then: make clean setup" >&2
}

current() {
    [ -x .venv/bin/offhook ] && [ -x .venv/bin/python ] && [ -f .venv/stamp ] &&
        [ "$(stamp)" = "$(cat .venv/stamp)" ]
}

have_uv() { .uv/bin/uv --version >/dev/null 2>&1; }

# One that was finished, here, and whose interpreter is still there and right; any other is made
# anew, because its scripts name the path it was made at.
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
