#compdef fjord recruiter dispatcher
# Completes words of fjord, recruiter and dispatcher. In ~/.zshrc, after compinit: source <(fjord completion zsh)
_fjord_complete() {
  local line
  local -a found
  for line in "${(@f)$("${words[1]}" --complete-words "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("${${line//:/\\:}/$'\t'/:}")
  done
  if (( $#found )); then _describe fjord found; else _files; fi
}
if [[ "${zsh_eval_context[-1]}" == loadautofunc ]]; then
  _fjord_complete "$@"
else
  compdef _fjord_complete fjord recruiter dispatcher
fi
