#!/bin/sh
# What the workspace runtime starts (plugin.yaml): installs the pinned package once, under the plugin's
# state directory, then becomes the daemon. It may be killed at any line; the next start goes on.
set -eu
umask 077

version=0.1.0
node_wanted=20.19
state=${MOLECULE_PLUGIN_STATE_DIR:-${LARK_CHANNEL_STATE_DIR:-${HOME:-}/.lark-bridge}}
packages=$state/packages

say() {
  printf 'lark-bridge: %s\n' "$*" >&2
}

# For what only a person can mend.
refuse() {
  say "$@"
  exit 2
}

is_new_enough() {
  [ -x "$1" ] && "$1" -e '
    var has = process.versions.node.split("."), wanted = process.argv[1].split(".");
    process.exit((has[0] - wanted[0] || has[1] - wanted[1]) >= 0 ? 0 : 1);
  ' "$node_wanted" >/dev/null 2>&1
}

find_node() {
  if [ -n "${LARK_BRIDGE_NODE:-}" ]; then
    node=$LARK_BRIDGE_NODE
    is_new_enough "$node" || refuse "LARK_BRIDGE_NODE is $node, which is no Node.js $node_wanted or newer."
    return
  fi
  for node in "$(command -v node || :)" /usr/local/bin/node /usr/bin/node /opt/homebrew/bin/node \
    "${VOLTA_HOME:-${HOME:-}/.volta}"/bin/node \
    "${NVM_DIR:-${HOME:-}/.nvm}"/versions/node/*/bin/node \
    "${FNM_DIR:-${HOME:-}/.local/share/fnm}"/node-versions/*/installation/bin/node \
    "${HOME:-}"/.local/share/mise/installs/node/*/bin/node \
    "${HOME:-}"/.asdf/installs/nodejs/*/bin/node; do
    if is_new_enough "$node"; then return; fi
  done
  refuse "Node.js $node_wanted or newer is needed, and none was found. Install it from https://nodejs.org" \
    "or with your system's packages, or set LARK_BRIDGE_NODE to the path of its node program."
}

# Names what to install, and the folder for it: another package is another folder.
choose_package() {
  package=${LARK_BRIDGE_PACKAGE:-}
  if [ -z "$package" ]; then
    package=lark-bridge@$version
    home=$packages/$version
    return
  fi
  case $package in
    /*) ;;
    *) package=$PWD/$package ;;
  esac
  [ -f "$package" ] || refuse "LARK_BRIDGE_PACKAGE is $package, and there is no such file."
  home=$packages/file-$(cksum <"$package" | tr ' ' -)
}

is_installed() {
  [ -f "$home/installed" ] && [ -f "$home/$program" ]
}

# Saves work when two start at once; that the package is whole rests on the rename alone.
lock() {
  if command -v flock >/dev/null 2>&1; then
    exec 9>>"$packages/lock"
    flock 9 || :
    return
  fi
  waited=0
  until ln -s "$$" "$packages/lock.pid" 2>/dev/null; do
    owner=$(readlink "$packages/lock.pid" || :)
    # Process ids are given out again when a container starts anew: even ours may be in there.
    if [ "$owner" = "$$" ] || { [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; }; then
      rm -f "$packages/lock.pid"
    elif [ "$waited" -ge 120 ]; then
      return
    else
      sleep 1
      waited=$((waited + 1))
    fi
  done
}

unlock() {
  exec 9>&-
  if [ "$(readlink "$packages/lock.pid")" = "$$" ]; then rm -f "$packages/lock.pid"; fi
}

# In a shell of its own. The scripts of other people's packages have no use for our secrets, nor for the lock.
run_npm() (
  exec 9>&-
  unset LARK_APP_SECRET MOLECULE_WORKSPACE_TOKEN MOLECULE_CHANNEL_A2A_TOKEN
  if [ ! -w "${HOME:-/nowhere}" ]; then
    npm_config_cache=${npm_config_cache:-$packages/npm-cache}
    export npm_config_cache
  fi
  exec env PATH="$(dirname "$node"):$PATH" npm "$@" >&2
)

install() {
  for debris in "$packages"/new.*; do
    kill -0 "${debris##*.}" 2>/dev/null || rm -rf "$debris"
  done
  new=$packages/new.$$
  rm -rf "$new"
  mkdir "$new" || return 1
  say "installing $package"
  run_npm install --prefix "$new" --omit=dev --prefer-offline --no-audit --no-fund --loglevel=error \
    "$package" || return 1
  found=$("$node" "$new/$program" --version) || return 1
  printf '%s\n' "$found" >"$new/installed" || return 1
  # Or a power cut could leave the new name with empty files behind it.
  sync
  is_installed || rm -rf "$home"
  # Not `mv`, which would move it into a folder of that name.
  "$node" -e 'fs.renameSync(process.argv[1], process.argv[2])' "$new" "$home" || is_installed
}

find_node
program=node_modules/lark-bridge/bin/lark-bridge.js
choose_package
if ! is_installed; then
  [ -x "$(dirname "$node")/npm" ] || command -v npm >/dev/null ||
    refuse "npm is needed to install lark-bridge, and none was found beside $node or on the PATH."
  mkdir -p "$packages"
  lock
  if ! is_installed && ! install; then
    unlock
    say "$package could not be installed; the next start tries again."
    # The runtime gives up a daemon that ends ten times within 30 s of its start, and a bad network passes.
    sleep 31
    exit 1
  fi
  unlock
fi

# What the workspace sets beats a setting of the plugin; empty means unset.
LARK_BRAND=${LARK_BRAND:-${LARK_PLUGIN_BRAND:-}}
LARK_BOT_OPEN_ID=${LARK_BOT_OPEN_ID:-${LARK_PLUGIN_BOT_OPEN_ID:-}}
LARK_DEFAULT_CHAT_ID=${LARK_DEFAULT_CHAT_ID:-${LARK_PLUGIN_DEFAULT_CHAT_ID:-}}
LARK_LOG_LEVEL=${LARK_LOG_LEVEL:-${LARK_PLUGIN_LOG_LEVEL:-}}
LARK_CHANNEL_STATE_DIR=${LARK_CHANNEL_STATE_DIR:-$state}
export LARK_BRAND LARK_BOT_OPEN_ID LARK_DEFAULT_CHAT_ID LARK_LOG_LEVEL LARK_CHANNEL_STATE_DIR
exec "$node" "$home/$program" run --mode daemon
