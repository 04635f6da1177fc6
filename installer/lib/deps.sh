# What the project needs of the system, and how to get it.  Sourced by tests/run and installer/demo.
# shellcheck shell=bash disable=SC2034 # the lists are named to deps_install

# command or file -> package; a package is asked for only when its witness is missing.
deps_run=(
  "/usr/share/doc/libwebsockets-dev:libwebsockets-dev" "/usr/include/microhttpd.h:libmicrohttpd-dev"
  "/usr/include/jansson.h:libjansson-dev" "/usr/include/jose/jose.h:libjose-dev"
  "curl.h:libcurl4-openssl-dev" "opensslv.h:libssl-dev" "/usr/include/sqlite3.h:libsqlite3-dev"
  "/usr/include/p11-kit-1/p11-kit/p11-kit.h:libp11-kit-dev" "/usr/include/PCSC/winscard.h:libpcsclite-dev"
  "/usr/include/systemd/sd-daemon.h:libsystemd-dev" "/usr/include/seccomp.h:libseccomp-dev"
  "/usr/include/pango-1.0/pango/pangocairo.h:libpango1.0-dev"
  "/usr/include/turbojpeg.h:libturbojpeg0-dev" "/usr/include/spng.h:libspng-dev"
  "cc:gcc" "cc:libc6-dev" "cmake:cmake" "ninja:ninja-build" "pkg-config:pkg-config"
  "softhsm2-util:softhsm2" "openssl:openssl" "chromium:chromium" "node:nodejs" "npm:npm"
  "setpriv:util-linux" "curl:curl" "python3:python3" "/usr/share/doc/fonts-wqy-microhei:fonts-wqy-microhei"
)
deps_test=(
  "/usr/include/cmocka.h:libcmocka-dev" "clang:clang" "clang-format:clang-format"
  "/usr/share/doc/libclang-rt-14-dev:libclang-rt-14-dev" "shellcheck:shellcheck"
  "sqlite3:sqlite3" "ip:iproute2" "firefox-esr:firefox-esr" "p11-kit:p11-kit" "pdftotext:poppler-utils" "ssh-agent:openssh-client"
  "/usr/share/doc/p11-kit-modules:p11-kit-modules"
  "/usr/share/doc/opensc-pkcs11:opensc-pkcs11"
  "/usr/sbin/pcscd:pcscd" "/usr/share/doc/vsmartcard-vpcd:vsmartcard-vpcd"
)

deps_has() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *.h) compgen -G "/usr/include/*/*/$1" >/dev/null || compgen -G "/usr/include/*/$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# deps_install LIST-NAME...
deps_install() {
  local -n list
  local missing=() entry
  for list in "$@"; do
    for entry in "${list[@]}"; do
      deps_has "${entry%%:*}" || missing+=("${entry#*:}")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]} (this script installs with apt-get, which is not here)" >&2
    return 1
  fi
  echo "installing: ${missing[*]}"
  local apt=(as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=600 -qq)
  if ! "${apt[@]}" update || ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "could not install: ${missing[*]}" >&2
    return 1
  fi
}

# The front end wants Node 20.19 or later; Debian 12 has 18, so a newer one comes from npm into the
# build folder.  Puts it first in PATH.
deps_node() {
  local build=$1
  if ! node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a==20&&b>=19)?0:1)'; then
    local arch
    arch=$(node -p process.arch)
    if [ ! -x "$build/node/node_modules/node-linux-$arch/bin/node" ]; then
      echo "getting Node.js 22 by npm (this system has $(node --version))"
      mkdir -p "$build/node"
      if ! npm install --loglevel=error --no-save --ignore-scripts --no-audit --no-fund \
        --prefix "$build/node" "node-linux-$arch@22" >/dev/null; then
        echo "could not get the npm package node-linux-$arch@22" >&2
        return 1
      fi
    fi
    PATH=$build/node/node_modules/node-linux-$arch/bin:$PATH
    export PATH
  fi
}

# npm_ready FOLDER: its node_modules agree with its lock file.
npm_ready() {
  local sum
  sum=$(sha256sum <"$1/package-lock.json")
  [ "$(cat "$1/node_modules/.ukey-lock" 2>/dev/null)" = "$sum" ] && return 0
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --silent) || return 1
  echo "$sum" >"$1/node_modules/.ukey-lock"
}
