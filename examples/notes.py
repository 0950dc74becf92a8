# Keeps a list for each chat: "add milk", "done 1", "list". Add it with:
#   lark-bridge agents add notes --exec "python3 $PWD/examples/notes.py"
import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
# A program runs once for each message, so what it remembers is in a file of the chat.
FILE = STATE / "lark-notes" / f"{os.environ['LARK_CHAT_ID']}.json"


def read() -> dict[str, str]:
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def write(notes: dict[str, str]) -> None:
    FILE.parent.mkdir(parents=True, exist_ok=True)
    new = FILE.with_suffix(".new")
    new.write_text(json.dumps(notes, ensure_ascii=False), "utf-8")
    new.replace(FILE)


def answer(text: str) -> str:
    notes = read()
    word, _, rest = text.strip().partition(" ")
    if word == "add" and rest:
        # A turn may run again after a crash. Under the id of its message a note is added once.
        notes[os.environ["LARK_MESSAGE_ID"]] = rest
        write(notes)
    elif word == "done" and rest.isdecimal() and 0 < int(rest) <= len(notes):
        del notes[list(notes)[int(rest) - 1]]
        write(notes)
    elif word != "list":
        return "Say `add …`, `done NUMBER` or `list`."
    return "\n".join(f"{at}. {note}" for at, note in enumerate(notes.values(), 1)) or "Nothing to do."


print(answer(sys.stdin.read()))
