// Package supervisor is the process that owns a running lab: the switch, the
// QEMU processes and a control socket through which everybody else asks for
// changes.
//
// While it runs it holds a lock on a file in the lab's folder. The lock, not a
// number in a file, says whether a lab is up and which process it is, so a
// stale process id is never believed (Owner). When the process ends, however
// it ends, the kernel ends its virtual machines.
package supervisor
