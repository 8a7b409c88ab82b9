// Package qemu runs one virtual machine per QEMU process: its command line,
// its life and the few things asked of its monitor (QMP).
//
// The monitor and the LAN card are socket pairs that the process inherits, so
// there is no socket file to clash, to outgrow the 108 bytes of a unix socket
// path or to be left behind. The process dies with the one that started it.
package qemu
