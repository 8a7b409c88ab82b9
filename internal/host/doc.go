// Package host knows a Linux machine that is, or is to become, part of a load
// balancer: it observes the machine in one probe, says which artifacts a
// director, a real server or a VIP puts on it, compares the two, and commits
// the difference.
//
// Vocabulary:
//   - An Artifact is one thing on a host that can be looked at and compared: a
//     file, a sysctl, an address, a unit, a row of the IPVS table, a package.
//   - A Snapshot is what one run of the probe (probe.sh) saw.
//   - A transaction is a change of the host, done whole or taken back whole, by a
//     script that runs apart from the SSH session (transaction.sh); transact.sh
//     starts it and fetches its outcome.
//   - A step is one line of that script: a call of a function of commit.sh.
//
// Promises: observing changes nothing on the host; every change goes through
// [Host.Apply], which carries out together what is asked at the same moment
// (group.go), and from there through one place, transaction.go; whatever dies in
// the middle, the host is as it was or as it was to be; a deviation for
// which keepalived has a reason (a failed health check, its role) is no
// deviation. The package knows nothing of Terraform.
package host
