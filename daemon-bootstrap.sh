#!/bin/sh
# What the workspace runtime starts (plugin.yaml): installs the files beside it once, under the plugin's
# state directory, then becomes the daemon. It may be killed at any line; the next start goes on.
set -eu
umask 077

node_wanted=20.19
program=bin/lark-bridge.js
plugin=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
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
  file=$package
  case $file in
    '' | /*) ;;
    *) file=$PWD/$file ;;
  esac
  if [ -z "$package" ]; then
    choose_files
  elif [ -f "$file" ]; then
    from=tarball
    package=$file
    home=$packages/tarball-$(cksum <"$file" | tr ' ' -)
  else
    refuse "LARK_BRIDGE_PACKAGE is $package, and there is no file $file. Name a tarball that \`npm pack\`" \
      "made, or unset it to install the plugin's own files. Packages of a registry are not taken by name: a" \
      "name says nothing of what is in them."
  fi
}

# A checkout of the repository has the sources, an unpacked package what was built from them.
choose_files() {
  from=plugin
  package="the files in $plugin"
  parts='package.json npm-shrinkwrap.json bin'
  if [ -d "$plugin/src" ]; then
    parts="$parts src tsconfig.json tsconfig.build.json"
  else
    parts="$parts dist"
  fi
  for part in $parts; do
    [ -e "$plugin/$part" ] ||
      refuse "$plugin/$part is missing: the plugin was not copied as a whole. Copy all files of the" \
        "repository, or of the package, or set LARK_BRIDGE_PACKAGE to a tarball that \`npm pack\` made."
  done
  # Of the contents, because a checkout changes without a new version.
  # shellcheck disable=SC2086
  home=$packages/files-$(cd "$plugin" && find -L $parts -type f -exec cksum {} + |
    LC_ALL=C sort | cksum | tr ' ' -)
}

is_installed() {
  [ -f "$home/installed" ] && [ -f "$home/$program" ] && [ -d "$home/node_modules" ]
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

# npm and the programs of other people's packages get the variables that they need and no other, because a
# secret may have any name. npm downloads and runs no scripts, so it may have the settings of the registry,
# with tokens. Scripts run without these, and without NODE_OPTIONS, which can name a program to load.
# Prints the options of env that take the others away, one a line. $1 is npm or scripts.
hidden_from() {
  "$node" -e '
    const general = "PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LC_(?:ALL|COLLATE|CTYPE|MESSAGES|NUMERIC|TIME)|TZ|TMPDIR|(?:https?|all|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|XDG_(?:CACHE|CONFIG|DATA|STATE)_HOME";
    const compiler = "cache|ca|cafile|strict_ssl|proxy|https_proxy|noproxy|nodedir|devdir|disturl|python|build_from_source|jobs";
    const registry = "registry|@.+:registry|userconfig|globalconfig|fetch_\\w+|maxsockets|offline|prefer_\\w+|replace_registry_host|cert|key|always_auth|_.+|//.+";
    const config = process.argv[1] === "npm" ? `${compiler}|${registry}` : compiler;
    const needed = new RegExp(`^(?:${general}|npm_config_(?:${config}))$`, "i");
    for (const name in process.env) if (!needed.test(name)) console.log(`-u\n${name}`);
  ' "$1"
}

# `npm` runs without scripts, `scripts` is for those that are named. In a shell of its own, without the lock.
run_npm() (
  exec 9>&-
  hidden=$(hidden_from "$1") || exit 1
  shift
  if [ ! -w "${HOME:-/nowhere}" ]; then
    npm_config_cache=${npm_config_cache:-$packages/npm-cache}
    export npm_config_cache
  fi
  set -f
  IFS='
'
  # shellcheck disable=SC2086
  exec env $hidden PATH="$(dirname "$node"):$PATH" npm "$@" --no-audit --no-fund --loglevel=error >&2
)

# Puts the program's own files into $new.
fetch() {
  case $from in
    plugin)
      # shellcheck disable=SC2086
      (cd "$plugin" && cp -RL $parts "$new/") || return 1
      ;;
    tarball) tar -xzf "$package" -C "$new" --strip-components=1 || return 1 ;;
  esac
  # Those of the plugin may be read-only.
  chmod -R u+w "$new"
}

# Every package in the version and with the hash of npm-shrinkwrap.json, or none.
complete() {
  if [ -d "$new/src" ]; then
    run_npm npm ci --prefix "$new" --include=dev --ignore-scripts --prefer-offline || return 1
    run_npm scripts run --prefix "$new" build --ignore-scripts || return 1
    run_npm npm prune --prefix "$new" --omit=dev --ignore-scripts || return 1
    rm -rf "$new/src" || return 1
  else
    run_npm npm ci --prefix "$new" --omit=dev --ignore-scripts --prefer-offline || return 1
  fi
  # The only package whose script is needed: it looks whether its binary fits, else compiles it.
  run_npm scripts rebuild --prefix "$new" @photostructure/sqlite
}

install() {
  for debris in "$packages"/new.*; do
    kill -0 "${debris##*.}" 2>/dev/null || rm -rf "$debris"
  done
  new=$packages/new.$$
  rm -rf "$new"
  mkdir "$new" || return 1
  say "installing $package"
  fetch || return 1
  complete || return 1
  found=$("$node" "$new/$program" --version) || return 1
  printf '%s\n' "$found" >"$new/installed" || return 1
  # Or a power cut could leave the new name with empty files behind it.
  sync
  is_installed || rm -rf "$home"
  # Not `mv`, which would move it into a folder of that name.
  "$node" -e 'fs.renameSync(process.argv[1], process.argv[2])' "$new" "$home" || is_installed
}

find_node
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
