#!/bin/sh
# Claude Code in print mode, with a conversation for each chat and each thread. Add it with:
#   lark-bridge agents add claude-print --exec "sh $PWD/examples/claude-code.sh"
set -eu

conversation="$LARK_CHAT_ID${LARK_THREAD_ID:+-$LARK_THREAD_ID}"
folder="${XDG_STATE_HOME:-$HOME/.local/state}/lark-claude/$conversation"
mkdir -p "$folder"
cd "$folder"

# Claude Code keeps the conversations of each folder apart. `--continue` needs one to go on with.
if [ -e begun ]; then
  exec claude -p --continue
fi
claude -p
touch begun
