#!/bin/busybox sh
# shellcheck shell=dash
# The lab's /init: load the few drivers a virtio machine needs, mount the disk,
# seed it once with what makes this machine itself, give the interfaces their
# addresses, and hand over to systemd. Addresses are set here at every boot
# because no network daemon runs in the image: it would cost an emulated boot
# seconds.
bb=/bin/busybox
$bb mkdir -p /proc /sys /dev /sysroot
$bb mount -t devtmpfs dev /dev
$bb mount -t proc proc /proc
for module in /modules/*.ko; do
    $bb insmod "$module"
done
n=0
while [ ! -b /dev/vda ] && [ $n -lt 100 ]; do
    $bb sleep 0.05
    n=$((n + 1))
done
$bb mount -t ext4 -o rw /dev/vda /sysroot || exec $bb sh

read -r lan_addr </seed/lan_addr
if [ ! -e /sysroot/var/lib/lab/seeded ]; then
    $bb cp -a /seed/files/. /sysroot/
    $bb mkdir -p /sysroot/var/lib/lab
    : >/sysroot/var/lib/lab/seeded
fi
$bb ip link set eth0 up
$bb ip addr add "$lan_addr" broadcast + dev eth0
$bb ip link set eth1 up
$bb ip addr add 10.0.2.15/24 broadcast + dev eth1

$bb umount /proc
$bb mount -o move /dev /sysroot/dev
exec $bb switch_root /sysroot /lib/systemd/systemd
