# Options of VRRP that are refused. Each resource must give the error above it, and
# no other.

provider "redislb" {}

# error: vrrp.version.*one of
resource "redislb_director" "version_4" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, version = 4 }
}

# error: Invalid advert_interval.*5ms: the advertisement interval is from 10ms
resource "redislb_director" "advert_interval_below_10ms" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, version = 3, advert_interval = "5ms" }
}

# error: Invalid advert_interval.*41s: the advertisement interval in VRRP version 3 is from 10ms to 40.95s
resource "redislb_director" "advert_interval_of_version_3" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, version = 3, advert_interval = "41s" }
}

# error: Invalid tcp_fin.*0s: an IPVS timeout is from 1s to 576h0m0s in steps of 1s
resource "redislb_director" "timeout_of_nothing" {
  host          = "a"
  ipvs_timeouts = { tcp_fin = "0s" }
  vrrp          = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# error: Invalid udp.*1.5s: an IPVS timeout is
resource "redislb_director" "timeout_of_no_whole_seconds" {
  host          = "a"
  ipvs_timeouts = { udp = "1500ms" }
  vrrp          = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# error: VRRP Version 3 Has No Password.*leave the password out, or leave version at 2
resource "redislb_director" "password_with_version_3" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, version = 3, auth_pass_wo = "Sesame", auth_pass_wo_version = 1 }
}

# error: VRRP Version 3 Has No Password
resource "redislb_director" "kept_password_with_version_3" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, version = 3, auth_pass = "Sesame" }
}

# error: Invalid auth_pass.*1 to 8 characters
resource "redislb_director" "kept_password_long" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass = "Sesame open" }
}

# error: Delay without Preemption.*Leave one of them out
resource "redislb_director" "preempt_delay_without_preempt" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, preempt = false, preempt_delay = "20s" }
}

# error: Invalid unicast.*unicast has at least one peer: name the other directors' addresses, or leave unicast out
resource "redislb_director" "unicast_without_peers" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, unicast = { peers = [] } }
}

# error: "b.example" is not an IP address
resource "redislb_director" "unicast_peer_a_name" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, unicast = { peers = ["b.example"] } }
}

# error: 192.0.2.11 is both the source and a peer
resource "redislb_director" "unicast_source_a_peer" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, unicast = { source = "192.0.2.11", peers = ["192.0.2.11"] } }
}

# error: Invalid master_delay.*500ms
resource "redislb_director" "garp_fraction" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, garp = { master_delay = "500ms" } }
}

# error: master_repeat.*between 1 and 100, got: 0
resource "redislb_director" "garp_no_repeat" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, garp = { master_repeat = 0 } }
}

# error: lower_prio_repeat.*between 0 and 100, got: 101
resource "redislb_director" "garp_lower_prio" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, garp = { lower_prio_repeat = 101 } }
}

# error: Interface Is Tracked Already.*"eth0" is the interface of the VRRP instance
resource "redislb_director" "track_own_interface" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_interfaces = { eth0 = {} } }
}

# error: Invalid track_interfaces.*"an interface".*1 to 15
resource "redislb_director" "track_interface_name" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_interfaces = { "an interface" = {} } }
}

# error: track_interfaces.*at least 1
resource "redislb_director" "track_nothing" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_interfaces = {} }
}

# error: weight.*between -253 and 253, got: -254
resource "redislb_director" "track_weight" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_interfaces = { eth1 = { weight = -254 } } }
}

# error: Invalid process.*1 to 15 of the
resource "redislb_director" "track_process_name" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_processes = { redis = { process = "/usr/bin/redis-server" } } }
}

# error: quorum.*between 1 and 65535, got: 0
resource "redislb_director" "track_process_quorum" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_processes = { redis = { process = "redis-server", quorum = 0 } } }
}

# error: Invalid delay.*2h0m0s
resource "redislb_director" "track_process_delay" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_processes = { redis = { process = "redis-server", delay = "2h" } } }
}

# error: Invalid script.*begins with the path of a program
resource "redislb_director" "track_script_path" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { ready = { script = "ready" } } }
}

# error: Invalid script.*one blank between two
resource "redislb_director" "track_script_shell" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { ready = { script = "/bin/sh -c 'exit 0'" } } }
}

# error: Invalid interval.*1.5s
resource "redislb_director" "track_script_interval" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { ready = { script = "/bin/true", interval = "1.5s" } } }
}

# error: Invalid timeout.*0s
resource "redislb_director" "track_script_timeout" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { ready = { script = "/bin/true", timeout = "0s" } } }
}

# error: fall.*between 1 and 1000, got: 0
resource "redislb_director" "track_script_fall" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { ready = { script = "/bin/true", fall = 0 } } }
}

# error: Invalid user.*a user has 1 to 32
resource "redislb_director" "track_script_user" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { ready = { script = "/bin/true", user = "no body" } } }
}

# error: Invalid track_scripts.*"a b"
resource "redislb_director" "track_script_name" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { "a b" = { script = "/bin/true" } } }
}

# error: "include": keepalived takes this name for a directive
resource "redislb_director" "track_script_directive" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_scripts = { include = { script = "/bin/true" } } }
}

# error: Invalid path.*a path is absolute
resource "redislb_director" "track_file_path" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_files = { drain = { path = "/run/../etc/passwd" } } }
}

# error: initial_value.*between -254 and 254, got: 255
resource "redislb_director" "track_file_value" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, track_files = { drain = { path = "/run/drain", initial_value = 255 } } }
}

# error: Invalid master.*one blank between two
resource "redislb_director" "notify_shell" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, notify = { master = "/bin/sh -c $(reboot)" } }
}

# error: Invalid stop.*begins with the path of a program
resource "redislb_director" "notify_relative" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, notify = { stop = "stop.sh" } }
}

# errors 2: "vrrp.auth_pass(_wo|_wo_version)?" cannot be specified when
resource "redislb_director" "two_passwords" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass = "Sesame", auth_pass_wo = "Sesame", auth_pass_wo_version = 1 }
}

# error: Invalid auth_hmac_wo.*must have 32 to 64 characters
resource "redislb_director" "hmac_short" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_hmac_wo = "0123456789abcdef", auth_hmac_wo_version = 1 }
}

# error: Invalid auth_hmac_wo.*not begin with hex: or file:
resource "redislb_director" "hmac_from_a_file" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_hmac_wo = "file:/etc/keepalived/keys/the-key-of-vrrp", auth_hmac_wo_version = 1 }
}

# error: "vrrp.auth_hmac_wo_version" must be specified when "vrrp.auth_hmac_wo"
resource "redislb_director" "hmac_without_version" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_hmac_wo = "0123456789abcdef0123456789abcdef" }
}

# error: "vrrp.auth_pass_wo" cannot be specified when "vrrp.auth_hmac_wo"
resource "redislb_director" "hmac_and_password" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_hmac_wo = "0123456789abcdef0123456789abcdef", auth_hmac_wo_version = 1, auth_pass_wo = "Sesame", auth_pass_wo_version = 1 }
}
