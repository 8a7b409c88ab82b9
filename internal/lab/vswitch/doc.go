// Package vswitch is an Ethernet switch in user space: the LAN between the
// lab's virtual machines.
//
// A port has a name and a cable. Plugging a stream connection into a port
// brings frames in QEMU's `-netdev stream` format, a four-byte big-endian
// length before each. The switch learns source addresses, floods what it does
// not know, and never waits for a slow reader: when a port's queue is full its
// frames are dropped, as on a real switch. A cable that is cut carries nothing
// in either direction while both ends still see a link, which is how a split
// brain begins.
//
// What crosses the switch can be watched: ARP answers are kept (ARPAnswers)
// and frames can be recorded in pcap format (Capture).
package vswitch
