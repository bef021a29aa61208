# Completes words of fjord, recruiter and dispatcher. In ~/.bashrc: source <(fjord completion bash)
_fjord_complete() {
  local line=$COMP_LINE words=() word raw typed i n=-1
  # bash also splits words at : = and @. This loop joins the pieces that have no space between them.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    raw=${COMP_WORDS[i]}
    if [[ n -ge 0 && -n $raw && $line == "$raw"* ]]; then
      words[n]+=$raw
    else
      words[++n]=$raw
      line=${line#"${line%%[![:space:]]*}"}
    fi
    line=${line#"$raw"}
  done
  # bash replaces only the last piece with the reply. An @ belongs to this piece, but a : or = does not.
  typed=${words[n]}
  [[ $raw == [:=]* ]] || typed=${typed%"$raw"}
  typed=${typed%@} typed=${typed//\\/}
  words=("${words[@]:1}")
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    COMPREPLY+=("$(printf %q "${word#"$typed"}")")
  done < <("${COMP_WORDS[0]}" --complete-words "${words[@]//\\/}" 2>/dev/null)
}
complete -o default -F _fjord_complete fjord recruiter dispatcher
