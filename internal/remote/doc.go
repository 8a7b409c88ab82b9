// Package remote reaches one Linux host over SSH and does three things there:
// it runs a POSIX sh script (Run), it puts files into a private directory
// (Stage), and it says precisely what went wrong.
//
// # Vocabulary
//
//   - target: user@host:port, the way every message names a machine.
//   - step: what the caller is about ("observe host"); it opens each message.
//   - connection: one TCP connection with one SSH handshake. A Client has at
//     most one, dials it at first use and shares it among all callers.
//   - jump host: a host on the way, reached and verified like any other. Its
//     connection is shared by all clients that go through it (JumpHosts), and ends
//     some time after the last of them.
//   - session: one SSH channel on that connection. A Run is one session with
//     one exec request; a Stage is one session with the sftp subsystem.
//   - bootstrap: the fixed one-line shell command that an exec request starts
//     (bootstrap.sh). The script itself follows on stdin. So a script may be of
//     any size, its text and arguments are in no process list and in no log of
//     sudo's, and the login shell's quoting rules (fish, csh) do not matter.
//   - marker: what the bootstrap prints before it does anything else. What came
//     before it is the login shell's or sudo's; what comes after is the script's.
//
// # Promises
//
//   - No credential leaves this process before the host key is verified.
//   - A command that may have run is never run again. The only reconnect is for
//     a pooled connection that turned out dead before a command was started.
//   - A script that arrives cut short is not executed, not even its beginning.
//   - sudo's password is sent only when sudo asks, on stdin, and never on a
//     command line; the script is sent only when the bootstrap runs.
//   - Only a dial that cannot have done anything is repeated: a closed port for
//     some seconds, a connection cut before the host key for some minutes.
//   - Every wait has an end: each attempt to dial a hop (Config.DialTimeout), the start
//     of a command, the command (Config.CommandTimeout), a host that vanished (three
//     keepalives, ten seconds apart), and the caller's context at every step.
//   - A cancelled or timed out command may go on on the host. SIGTERM is asked for
//     and the session closed, but OpenSSH passes no signal on where root logged in
//     or sudo is in between (seen with 9.2), so only a script that writes to its
//     closed stdout dies. Callers who need more must make the script end itself.
//   - No secret is in an error, nor in a Config or Client that is printed.
//   - Errors are typed (errors.go), carry Target and Step, and Unreachable tells
//     a host that does not answer from one that refuses.
package remote
