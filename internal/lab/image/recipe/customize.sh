#!/bin/sh
# mmdebstrap customize hook: turn the fresh root into the lab's host and write
# the files QEMU boots from into $LAB_OUT: vmlinuz, busybox and
# modules/NN-name.ko (numbered in the order the initrd must load them).
#
# It runs as root or as the root of a user namespace; nothing is mounted and no
# loop device is used.
set -eu
root=$1
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"

say() { echo "lab: $*"; }

# fetch PACKAGE...: download without installing, into a directory of our own.
fetch() {
    (cd "$root/tmp" && apt-get download -qq -o APT::Sandbox::User=root "$@")
}

say "kernel"
# The kernel boots from outside the image, so it is unpacked, not installed:
# no initramfs-tools, no boot loader, and half a minute saved.
kernel=$(apt-cache depends --important linux-image-cloud-amd64 |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$kernel" ] || { echo "lab: no kernel behind linux-image-cloud-amd64 in $LAB_SUITE" >&2; exit 1; }
fetch "$kernel" busybox-static
mkdir "$root/tmp/kernel" "$root/tmp/busybox"
dpkg-deb -x "$root"/tmp/linux-image-*.deb "$root/tmp/kernel"
dpkg-deb -x "$root"/tmp/busybox-static_*.deb "$root/tmp/busybox"
release=$(basename "$root"/tmp/kernel/boot/vmlinuz-* | sed 's/^vmlinuz-//')
cp "$root/tmp/kernel/boot/vmlinuz-$release" "$LAB_OUT/vmlinuz"
cp "$(find "$root/tmp/busybox" -path "*/bin/busybox" -type f)" "$LAB_OUT/busybox"
modules=$(find "$root/tmp/kernel" -type d -path "*/modules/$release")
mkdir -p "$root/lib/modules"
mv "$modules" "$root/lib/modules/$release"
chroot "$root" depmod "$release"

mkdir "$LAB_OUT/modules"
n=10
for name in virtio_pci virtio_mmio virtio_blk virtio_net virtio_rng ext4; do
    chroot "$root" modprobe --show-depends -S "$release" "$name" 2>/dev/null || true
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
    out=$LAB_OUT/modules/$n-$(basename "$module" | sed 's/\.ko.*/.ko/')
    case $module in
    *.xz) "$LAB_OUT/busybox" xzcat "$root$module" >"$out" ;;
    *) cp "$root$module" "$out" ;;
    esac
    n=$((n + 1))
done

say "local package archive"
# Everything that bootstrap will ask for and that the image lacks, and what
# Ansible asks for on the hosts it is compared on (bench). What mmdebstrap
# downloaded lies in the same folder and is in the image already.
rm -f "$root"/var/cache/apt/archives/*.deb
apt-get install -qq --yes --download-only -o Debug::NoLocking=1 keepalived ipvsadm nftables python3 python3-apt
mkdir -p "$root/opt/apt"
mv "$root"/var/cache/apt/archives/*.deb "$root/opt/apt/"
(
    cd "$root/opt/apt"
    for deb in *.deb; do
        dpkg-deb -f "$deb"
        echo "Filename: ./$deb"
        echo "Size: $(stat -c %s "$deb")"
        echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
        echo
    done >Packages
)
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/* "$root"/tmp/*
echo 'deb [trusted=yes] file:/opt/apt ./' >"$root/etc/apt/sources.list"
env -u APT_CONFIG chroot "$root" apt-get update -qq -o APT::Sandbox::User=root

say "accounts"
chroot "$root" useradd -m -u 1001 -s /bin/bash ops
chroot "$root" useradd -m -u 1002 -s /bin/bash opspw
chroot "$root" useradd -m -u 1003 -s /bin/bash nosudo
printf 'opspw:opspw-secret\nnosudo:nosudo-secret\n' | chroot "$root" chpasswd
printf 'ops ALL=(ALL) NOPASSWD: ALL\nopspw ALL=(ALL) ALL\n' >"$root/etc/sudoers.d/lab"
chmod 0440 "$root/etc/sudoers.d/lab"

say "services"
cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<'CONF'
LogLevel VERBOSE
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication yes
CONF
rm -f "$root"/etc/ssh/ssh_host_*_key*
sed -i -E -e 's/^bind .*/bind 0.0.0.0/' -e 's/^protected-mode .*/protected-mode no/' "$root/etc/redis/redis.conf"
# Each of these costs an emulated boot seconds and a test machine nothing.
# What the product relies on at boot (sysctl.d, modules-load.d, tmpfiles.d and
# unit files) is left as it is.
for unit in \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service systemd-tmpfiles-clean.timer \
    getty.target getty@tty1.service serial-getty@ttyS0.service console-getty.service \
    systemd-logind.service systemd-pstore.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service \
    systemd-binfmt.service systemd-firstboot.service systemd-hwdb-update.service \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
    modprobe@dm_mod.service modprobe@loop.service modprobe@configfs.service modprobe@fuse.service modprobe@drm.service \
    modprobe@efi_pstore.service sys-kernel-config.mount \
    systemd-random-seed.service systemd-timesyncd.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# An emulated machine runs all of these for two seconds at every boot and every
# daemon-reload, and they find nothing: systemd.generator(7). But the one that makes units
# of init scripts, which a package may bring.
mkdir -p "$root/etc/systemd/system-generators"
for generator in "$root"/lib/systemd/system-generators/*; do
    case $generator in
    */systemd-sysv-generator) ;;
    *) ln -s /dev/null "$root/etc/systemd/system-generators/${generator##*/}" ;;
    esac
done
rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
: >"$root/etc/fstab"

say "clean up"
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* \
    "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/* "$root"/var/log/*.log "$root"/var/log/apt
