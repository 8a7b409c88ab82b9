# shellcheck shell=sh
# Puts the packages of the lab's archive onto a host, their files alone: on an
# emulated machine the package manager takes a minute for it.
set -e
command -v keepalived >/dev/null && exit
for package in /opt/apt/keepalived_*.deb /opt/apt/ipvsadm_*.deb /opt/apt/nftables_*.deb /opt/apt/lib*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -C / -x --keep-directory-symlink --exclude=./usr/share
done
ldconfig
systemctl daemon-reload
