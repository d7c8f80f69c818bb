#!/bin/sh
# install.sh LOCK MODULE...: install what LOCK names, and keep of it what a job can run.
# Of bytecode stays what importing the modules writes; compiling all, as pip would, makes a
# third of an image from code that no job ever imports.
set -eu
lock=$1
shift
pip install --quiet --root-user-action=ignore --disable-pip-version-check --cache-dir /var/cache/pip \
    --no-compile --no-deps --no-build-isolation --require-hashes --requirement "$lock"
cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
find . -path '*/tests/test_*.py' -printf '%h\n' | sort -u | xargs rm -rf
find . -type d -name include -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.cpp' \
    -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name libclang.so \) -delete
for module; do
    PYTHONDONTWRITEBYTECODE='' python -c "import $module"
done
