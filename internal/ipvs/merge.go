package ipvs

import "slices"

// Merge completes a table read from /proc/net/ip_vs with what only
// `ipvsadm -Sn` says: scheduler flags, persistence in seconds, the persistence
// engine, one-packet scheduling of IPv6 services, the options of tunnels, and
// the family of firewall-mark services. Rows and counters are those of proc; a
// service that save does not have stays as it is.
func Merge(proc, save Table) Table {
	merged := make(Table, 0, len(proc))
	for _, s := range proc {
		from, ok := save.Service(s.Key)
		if !ok && s.FWMark != 0 {
			other := s.Key
			other.IPv6 = !other.IPv6
			from, ok = save.Service(other)
			// A mask is of one family. Where only one of the two knows persistence
			// the service changed between them, and says nothing of the other's.
			ok = ok && from.Persistent == s.Persistent
		}
		if ok {
			s = complete(s, from)
		}
		merged = append(merged, s)
	}
	return merged
}

func complete(s, from Service) Service {
	s.IPv6 = from.IPv6
	s.SchedulerFlags = from.SchedulerFlags
	s.PersistenceEngine = from.PersistenceEngine
	s.OnePacket = s.OnePacket || from.OnePacket
	if s.Persistent && from.Persistent {
		s.PersistenceTimeout, s.PersistenceMask = from.PersistenceTimeout, from.PersistenceMask
	}
	s.Destinations = slices.Clone(s.Destinations)
	for i, d := range s.Destinations {
		if old, ok := from.Destination(d.Endpoint()); ok && d.Forwarding == TUN {
			s.Destinations[i].Tunnel = old.Tunnel
		}
	}
	return s
}
