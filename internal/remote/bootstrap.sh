# shellcheck shell=sh
# The first thing that runs on the host, as the user the script is meant for.
# command.go drops the comments and joins the lines with blanks into the argument
# of sh -c. So: every line ends where a blank may follow, and there is no single
# quote, backslash or exclamation mark in the code, since the login shell that
# reads the line may be fish or csh.
#
# stdin: one line "redislb-script:LENGTH", then LENGTH bytes of script.
export LC_ALL=C;
umask 077;
cd /;
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin";
echo redislb-started >&2;
echo redislb-started;
IFS= read -r redislb_head;
redislb_text=$(cat);
exec </dev/null;
redislb_got=redislb-script:${#redislb_text};
[ "$redislb_head" = "$redislb_got" ] ||
{ echo "redislb: the script arrived cut short, nothing was executed" >&2; exit 125; };
eval "$redislb_text"
