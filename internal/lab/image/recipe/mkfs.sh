#!/bin/sh
# mmdebstrap customize hook, run last and under `unshare --mount`: pack the root
# into $LAB_OUT/rootfs.ext4 with `mke2fs -d`, so that no loop device is needed.
#
# mmdebstrap keeps /proc, /sys and parts of /dev mounted while hooks run. They
# must not be packed, so they are unmounted here, in a mount namespace that
# ends with this script.
set -eu
root=$1

cut -d ' ' -f 2 /proc/self/mounts | grep -F "$root/" | sort -r | while read -r dir; do
    umount "$dir"
done
# mmdebstrap also keeps services from starting while hooks run, and would undo
# that too late for the image.
rm -f "$root/usr/sbin/policy-rc.d"
if [ -e "$root/sbin/start-stop-daemon.REAL" ]; then
    mv "$root/sbin/start-stop-daemon.REAL" "$root/sbin/start-stop-daemon"
fi
echo "lab: file system"
mke2fs -q -F -t ext4 -L lab -m 0 -E lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 \
    -d "$root" "$LAB_OUT/rootfs.ext4" 2G
# In a user namespace these files belong to nobody the builder knows; this lets
# it read them and clean them up.
chmod -R a+rwX "$LAB_OUT"
