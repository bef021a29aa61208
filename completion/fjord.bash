# What TAB does for fjord, recruiter and dispatcher. In ~/.bashrc: source <(fjord completion bash)
_fjord_complete() {
  local word words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    COMPREPLY+=("$(printf %q "$word")")
  done < <("${COMP_WORDS[0]}" --complete-words "${words[@]//\\/}" 2>/dev/null)
}
complete -o default -F _fjord_complete fjord recruiter dispatcher
