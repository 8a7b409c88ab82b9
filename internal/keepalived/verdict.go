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
//   - real servers of a service have weight 0, being drained, and the others have
//     less weight than the quorum. keepalived then lowers it, if need be to 0
//     (check_data.c, validate_check_config).
const HarmlessComplaint = `^\([A-Za-z0-9._-]+\) No VIP specified; at least one is sensible$` +
	`|^Warning - quorum [0-9]+ for [^ ]+ exceeds total weight of real servers [0-9]+, reducing quorum to [0-9]+$` +
	`|^Virtual server [^ ]+: hysteresis [0-9]+ >= quorum [0-9]+; setting hysteresis to [0-9]+$` +
	`|^ *$`
