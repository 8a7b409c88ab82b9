// Package lab runs real Debian machines for tests and the demo: QEMU virtual
// machines on a LAN of their own, reached by SSH on 127.0.0.1.
//
// Each host has two interfaces. eth0 is the LAN, 192.0.2.0/24, carried by a
// switch inside the supervisor process, so no root and no bridge is needed and
// no packet leaves the machine. eth1 is for management alone.
//
// A bare host has the operating system, sshd, Redis and, in a local archive,
// the packages that bootstrap installs. Reset brings hosts back to bare.
// Accounts: root and ops (sudo without password) by key; opspw (sudo with
// password) and nosudo (no sudo) by key or by their passwords.
//
// A lab lives in a folder (Options.Dir), where keys, a known_hosts file, an
// ssh_config, an env file for shells, images and the machines' disks are. Its
// supervisor process ends with `labctl down`, or, for a tied lab, with the
// process that started it, however that ends; the machines end with the
// supervisor.
package lab
