/**
 * What each shell runs when somebody presses Tab. It gives the words up to the cursor to the hidden command
 * `__complete`, whose first line says what follows: `files`, `folders`, or `words`, one a line with a tab before what
 * it means.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** In these texts `@{` stands for the `${` of a shell, which JavaScript would take for its own. */
const shellText = (text: string) => text.replaceAll('@{', '${');

/** Works with bash 3.2, which macOS has. */
const BASH = String.raw`# Completion of lark-bridge in bash. In ~/.bashrc: source <(lark-bridge completion bash)
_lark_bridge() {
  local current=@{COMP_WORDS[COMP_CWORD]} tab=$'\t' kind line
  COMPREPLY=()
  {
    IFS= read -r kind
    case $kind in
      files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
        ;;
      folders)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$current")
        ;;
      words)
        while IFS= read -r line; do COMPREPLY+=("@{line%%$tab*}"); done
        ;;
    esac
  } < <("@{COMP_WORDS[0]}" __complete "@{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _lark_bridge lark-bridge
`;

const ZSH = String.raw`#compdef lark-bridge
# Completion of lark-bridge in zsh. In ~/.zshrc, after compinit: source <(lark-bridge completion zsh)
_lark_bridge() {
  local -a lines rows
  local line tab=$'\t'
  lines=("@{(@f)$("@{words[1]}" __complete "@{(@)words[2,CURRENT]}" 2>/dev/null)}")
  case @{lines[1]} in
    files) _files ;;
    folders) _files -/ ;;
    words)
      for line in "@{(@)lines[2,-1]}"; do
        rows+=("@{@{line%%$tab*}//:/\:}:@{line#*$tab}")
      done
      _describe lark-bridge rows
      ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _lark_bridge "$@"
else
  compdef _lark_bridge lark-bridge
fi
`;

const FISH = String.raw`# Completion of lark-bridge in fish: lark-bridge completion fish > ~/.config/fish/completions/lark-bridge.fish
function __lark_bridge_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program $words[1]
  set -e words[1]
  set -l lines ($program __complete $words "$current" 2>/dev/null)
  switch "$lines[1]"
    case files
      __fish_complete_path "$current"
    case folders
      __fish_complete_directories "$current"
    case words
      set -e lines[1]
      printf '%s\n' $lines
  end
end
complete -c lark-bridge -f -a '(__lark_bridge_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: shellText(BASH),
  zsh: shellText(ZSH),
  fish: shellText(FISH),
};
