// Package cpio writes the "newc" archives that the Linux kernel unpacks as an
// initial RAM file system (Documentation/driver-api/early-userspace/buffer-format.rst).
//
// Archives may be concatenated: the kernel unpacks one after the other, which
// is how the lab adds a machine's own files to the initrd all machines share.
package cpio
