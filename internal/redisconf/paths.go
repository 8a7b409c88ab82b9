package redisconf

import "strconv"

// Dir is the folder of the files below. Only root can write to it, other than to
// Debian's /etc/redis, which belongs to the user that Redis runs as.
const Dir = "/etc/redislb"

// Path is the redis.conf of the instance on a port.
func Path(port int) string { return base(port) + ".conf" }

// PasswordPath holds the password that clients give. Only root may read it.
func PasswordPath(port int) string { return base(port) + ".password" }

// MasterPasswordPath holds the password that the instance gives to its master.
func MasterPasswordPath(port int) string { return base(port) + ".masterauth.password" }

// Unit is the name of the instance's systemd unit.
func Unit(port int) string { return "redislb-redis-" + strconv.Itoa(port) + ".service" }

// UnitPath is its file.
func UnitPath(port int) string { return "/etc/systemd/system/" + Unit(port) }

// StateDirectory is the instance's data directory, below /var/lib.
func StateDirectory(port int) string { return "redis/redislb-" + strconv.Itoa(port) }

// DataDir is the instance's data directory.
func DataDir(port int) string { return "/var/lib/" + StateDirectory(port) }

// credential is where Redis finds what systemd hands to it (systemd.exec(5),
// CREDENTIALS_DIRECTORY).
func credential(port int, name string) string { return "/run/credentials/" + Unit(port) + "/" + name }

func base(port int) string { return Dir + "/redis-" + strconv.Itoa(port) }
