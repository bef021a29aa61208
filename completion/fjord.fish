# Completes words of fjord, recruiter and dispatcher. In ~/.config/fish/config.fish: fjord completion fish | source
function _fjord_complete
  set -l words (commandline -opc) (commandline -ct | string unescape; or commandline -ct)
  set -l found ($words[1] --complete-words $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
for command in fjord recruiter dispatcher
  complete -c $command -f -a '(_fjord_complete)'
end
