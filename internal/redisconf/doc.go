// Package redisconf is the configuration of a Redis server as values: it validates
// them, prints them as a redis.conf, and reads such a file back.
//
// An instance is one Redis server of a host, told from others by its port. Its
// passwords are not in its redis.conf, which anybody may read: it includes a file for
// each, which systemd hands to Redis as a credential (systemd.exec(5), LoadCredential).
//
// Facts of the format are from Redis's config.c and sds.c, 6.0 to 8.0 (Debian 11–13).
package redisconf
