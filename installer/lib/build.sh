# Building what is not C.  Sourced from the project's root, after deps.sh.
# shellcheck shell=bash

# build_if_changed STAMP SOURCE... -- COMMAND...: run COMMAND when a source is newer than STAMP.
build_if_changed() {
  local stamp=$1 sources=()
  shift
  while [ "$1" != -- ]; do sources+=("$1"); shift; done
  shift
  if [ -e "$stamp" ] && [ -z "$(find "${sources[@]}" -name node_modules -prune -o -name dist -prune \
    -o -type f -newer "$stamp" -print -quit)" ]; then
    return 0
  fi
  "$@" && mkdir -p "$(dirname "$stamp")" && touch "$stamp"
}

npm_build() {
  npm_ready "$1" && (cd "$1" && npm run --silent build)
}

# The page library, then the extension and the pages that use it, then the browser driver's modules.
build_pages() {
  build_if_changed build/stamp/sdk extension/sdk -- npm_build extension/sdk &&
    build_if_changed build/stamp/extension extension -- npm_build extension &&
    build_if_changed build/stamp/portal extension/sdk server/portal -- npm_build server/portal &&
    npm_ready tests/manual
}
