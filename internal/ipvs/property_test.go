package ipvs_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"pgregory.net/rapid"
)

func drawAddress(t *rapid.T, v6 bool, label string) netip.Addr {
	if v6 {
		return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label)))
	}
	return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, label)))
}

func drawService(t *rapid.T, label string) ipvs.Service {
	v6 := rapid.Bool().Draw(t, label+" v6")
	s := ipvs.Service{Scheduler: rapid.SampledFrom([]string{"rr", "wrr", "wlc", "sh", "mh"}).Draw(t, "scheduler")}
	if rapid.IntRange(0, 3).Draw(t, "mark") == 0 {
		s.FWMark, s.IPv6 = rapid.Uint32Min(1).Draw(t, "fwmark"), v6
	} else {
		s.Protocol = rapid.SampledFrom([]ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP}).Draw(t, "protocol")
		s.Address, s.Port = drawAddress(t, v6, "vip"), rapid.Uint16().Draw(t, "port")
	}
	s.SchedulerFlags = rapid.SampledFrom([][]string{nil, {"flag-1"}, {"mh-fallback", "mh-port"}}).Draw(t, "flags")
	if s.Persistent = rapid.Bool().Draw(t, "persistent"); s.Persistent {
		s.PersistenceTimeout = time.Duration(rapid.IntRange(1, 1<<31).Draw(t, "timeout")) * time.Second
		masks := []string{"", "255.255.255.0", "0.0.0.0"}
		if v6 {
			masks = []string{"", "1", "64", "127"}
		}
		s.PersistenceMask = rapid.SampledFrom(masks).Draw(t, "mask")
		s.PersistenceEngine = rapid.SampledFrom([]string{"", "sip"}).Draw(t, "engine")
	}
	s.OnePacket = rapid.Bool().Draw(t, "ops")
	s.Destinations = rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) ipvs.Destination {
		d := ipvs.Destination{
			// Few addresses, so that two services often share real servers.
			Address:        netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(11, 14).Draw(t, "rs"))}),
			Port:           uint16(rapid.IntRange(0, 1).Draw(t, "port")),
			Forwarding:     rapid.SampledFrom([]ipvs.Forwarding{ipvs.DR, ipvs.NAT, ipvs.TUN}).Draw(t, "forwarding"),
			Weight:         rapid.SampledFrom([]int{0, 1, 2, 65535}).Draw(t, "weight"),
			UpperThreshold: uint32(rapid.IntRange(0, 2).Draw(t, "upper")),
			LowerThreshold: uint32(rapid.IntRange(0, 2).Draw(t, "lower")),
		}
		if v6 {
			d.Address = netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", d.Address.As4()[3]))
		}
		if d.Forwarding == ipvs.TUN {
			d.Tunnel = rapid.SampledFrom([]string{"", "--tun-type gre --tun-csum"}).Draw(t, "tunnel")
		}
		return d
	}), 0, 4, ipvs.Destination.Endpoint).Draw(t, label+" destinations")
	if len(s.Destinations) == 0 {
		s.Destinations = nil
	}
	return s
}

func TestParseSaveInvertsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawService(t, "service")
		table, err := ipvs.ParseSave([]byte(s.Canonical()))
		if err != nil {
			t.Fatal(err)
		}
		again := table[0]
		if again.Canonical() != s.Canonical() {
			t.Fatalf("%s became %s", s, again)
		}
		// Canonical sorts destinations: put them back into one order and
		// compare every field.
		two, err := ipvs.ParseSave([]byte(again.Canonical()))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(two[0], again) {
			t.Fatalf("%+v became %+v", again, two[0])
		}
		for _, d := range s.Destinations {
			if got, ok := again.Destination(d.Endpoint()); !ok || got != d {
				t.Fatalf("%+v became %+v", d, got)
			}
		}
		s.Destinations, again.Destinations = nil, nil
		if !reflect.DeepEqual(again, s) {
			t.Fatalf("%+v became %+v", s, again)
		}
	})
}

// printProc prints services in the kernel's format strings (ip_vs_ctl.c,
// ip_vs_info_seq_show), on a little-endian machine.
func printProc(services ...ipvs.Service) string {
	var b strings.Builder
	b.WriteString("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n" +
		"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n")
	address := func(a netip.Addr) string {
		if a.Is4() {
			return fmt.Sprintf("%X", a.AsSlice())[0:8]
		}
		words := make([]string, 8)
		for i := range words {
			words[i] = fmt.Sprintf("%x", a.AsSlice()[2*i:2*i+2])
		}
		return "[" + strings.Join(words, ":") + "]"
	}
	for _, s := range services {
		ops := ""
		if s.OnePacket && !s.Address.Is6() {
			ops = "ops "
		}
		if s.FWMark != 0 {
			fmt.Fprintf(&b, "FWM  %08X %s %s", s.FWMark, s.Scheduler, ops)
		} else {
			fmt.Fprintf(&b, "%s  %s:%04X %s %s", strings.ToUpper(s.Protocol.String()), address(s.Address), s.Port, s.Scheduler, ops)
		}
		if s.Persistent {
			mask := "FFFFFFFF"
			var n uint32 = 128
			switch {
			case s.Address.Is6() || s.IPv6:
				_, _ = fmt.Sscan(s.PersistenceMask, &n)
				mask = fmt.Sprintf("%02X000000", n)
			case s.PersistenceMask != "":
				mask = address(netip.MustParseAddr(s.PersistenceMask))
			}
			fmt.Fprintf(&b, "persistent %d %s", s.PersistenceTimeout/time.Second*250, mask)
		}
		b.WriteString("\n")
		for _, d := range s.Destinations {
			name := map[ipvs.Forwarding]string{ipvs.DR: "Route", ipvs.NAT: "Masq", ipvs.TUN: "Tunnel"}[d.Forwarding]
			fmt.Fprintf(&b, "  -> %s:%04X      %-7s %-6d %-10d %-10d\n", address(d.Address), d.Port, name, d.Weight, d.ActiveConns, d.InactConns)
		}
	}
	return b.String()
}

func TestProcMergedWithSaveIsTheService(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawService(t, "service")
		for i := range s.Destinations { // neither source shows thresholds
			s.Destinations[i].UpperThreshold, s.Destinations[i].LowerThreshold = 0, 0
		}
		proc, err := ipvs.ParseProc([]byte(printProc(s)))
		if err != nil {
			t.Fatal(err)
		}
		save, err := ipvs.ParseSave([]byte(s.Canonical()))
		if err != nil {
			t.Fatal(err)
		}
		if merged := ipvs.Merge(proc, save); !merged.Equal(ipvs.Table{s}) {
			t.Fatalf("got %s\nwant %s\nproc %s", merged, s, printProc(s))
		}
	})
}
