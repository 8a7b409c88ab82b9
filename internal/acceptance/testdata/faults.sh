# shellcheck shell=bash
# Faults of a host for faults_test.go: NAME causes one, heal_NAME takes it away.

full() { # FOLDER: its file system has no byte left
	cp -a "$1" /run/overlaid
	mount -t tmpfs -o size=256k,mode=755 tmpfs "$1"
	cp -a /run/overlaid/. "$1"
	dd if=/dev/zero of="$1/filler" status=none 2>/dev/null || true
}
heal_full() {
	umount "$1"
	rm -rf /run/overlaid
}

full_root() {
	fallocate -l "$(($(stat -f -c '(%f - 2048) * %S' /)))" /filler
	dd if=/dev/zero of=/filler2 bs=1M status=none 2>/dev/null || true
	dd if=/dev/zero of=/filler3 bs=1k status=none 2>/dev/null || true
}
heal_full_root() { rm -f /filler /filler2 /filler3; }

read_only() { # FOLDER
	mount --bind "$1" "$1"
	mount -o remount,bind,ro "$1"
}
heal_read_only() { umount "$1"; }

# without_ipvsadm hides a command, so that its package is to be installed.
without_ipvsadm() { mv /usr/sbin/ipvsadm /usr/sbin/ipvsadm.hidden; }
with_ipvsadm() { mv /usr/sbin/ipvsadm.hidden /usr/sbin/ipvsadm; }

package_manager_locked() { # SECONDS to wait for the lock, instead of redislb's own
	without_ipvsadm
	printf '#!/bin/sh\nexec /usr/bin/apt-get "$@" -o DPkg::Lock::Timeout=%d\n' "$1" >/usr/local/bin/apt-get
	chmod 755 /usr/local/bin/apt-get
	# shellcheck disable=SC2016 # perl's
	setsid perl -e 'use Fcntl; open F, ">>", "/var/lib/dpkg/lock-frontend"; $l = pack("ssx4qqi", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; sleep' >/dev/null 2>&1 </dev/null &
	echo $! >/run/locker
	until grep -q " $! .*:$(stat -c %i /var/lib/dpkg/lock-frontend) " /proc/locks; do sleep 0.1; done
}
heal_package_manager_locked() {
	kill "$(cat /run/locker)"
	rm /usr/local/bin/apt-get
	with_ipvsadm
}

sources_broken() {
	without_ipvsadm
	cp -a /etc/apt/sources.list /run/sources.list
	echo 'deb file:/nowhere ./' >/etc/apt/sources.list
}
heal_sources_broken() {
	cp -a /run/sources.list /etc/apt/sources.list
	with_ipvsadm
}

nothing_installed() { # the package manager is content, and the command is missing
	without_ipvsadm
	printf '#!/bin/sh\n' >/usr/local/bin/apt-get
	chmod 755 /usr/local/bin/apt-get
}
heal_nothing_installed() {
	rm /usr/local/bin/apt-get
	with_ipvsadm
}

configuration_rejected() {
	mv /usr/sbin/keepalived /usr/sbin/keepalived.hidden
	cat >/usr/sbin/keepalived <<-'END'
		#!/bin/sh
		case " $* " in
		*' -t '*)
			echo "(/etc/keepalived/keepalived.conf: Line 3) Unknown keyword 'frobnicate'" >&2
			exit 4
			;;
		esac
		exec /usr/sbin/keepalived.hidden "$@"
	END
	chmod 755 /usr/sbin/keepalived
}
heal_configuration_rejected() { mv /usr/sbin/keepalived.hidden /usr/sbin/keepalived; }

reload_hangs() { # SECONDS until systemd gives up
	mkdir -p /run/systemd/system/keepalived.service.d
	printf '[Service]\nExecReload=\nExecReload=/bin/sleep infinity\nTimeoutStartSec=%d\n' "$1" >/run/systemd/system/keepalived.service.d/hang.conf
	systemctl daemon-reload
}
heal_reload_hangs() {
	rm -r /run/systemd/system/keepalived.service.d
	systemctl daemon-reload
	systemctl reload keepalived
}
