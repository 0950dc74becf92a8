#!/bin/sh
# Answers questions about this machine. Add it with:
#   lark-bridge agents add machine --exec "sh $PWD/examples/machine.sh"

# The message is the input, and the output is the answer, in Markdown.
question=$(cat)

# What people write is only compared. Never run it, and never put it into a command.
case $question in
*disk*) printf '```\n%s\n```\n' "$(df -h /)" ;;
*load* | *uptime*) printf '```\n%s\n```\n' "$(uptime)" ;;
*) echo 'Ask me about the **disk** or the **load**.' ;;
esac
