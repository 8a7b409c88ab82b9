package keepalived

// HarmlessComplaint is a POSIX extended regular expression for the lines of
// `keepalived -t` that do not count although it returns non-zero for them. 2.1.5
// to 2.3.3 report two states as errors that are legal and that a change may be
// meant to lead to:
//
//   - the instance has no VIP, as before the first comes and after the last has
//     gone. VRRP version 2 allows it (vrrp.c, vrrp_complete_instance, of 2.1.5
//     and 2.2.7: "at least one is sensible"; where the instance is refused it
//     says "required");
//   - all real servers of a service have weight 0, being drained. keepalived
//     then lowers its quorum to 0, which without a sorry server changes nothing
//     (check_data.c, validate_check_config).
const HarmlessComplaint = `^\([A-Za-z0-9._-]+\) No VIP specified; at least one is sensible$` +
	`|^Warning - quorum 1 for [^ ]+ exceeds total weight of real servers 0, reducing quorum to 0$` +
	`|^Virtual server [^ ]+: hysteresis 0 >= quorum 0; setting hysteresis to 4294967295$` +
	`|^ *$`
