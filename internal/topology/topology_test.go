package topology_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"

	"github.com/redislb/terraform-provider-redislb/internal/topology"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := udiff.Unified(path, "got", string(want), got); diff != "" {
		t.Errorf("%s\nIf it is meant, run go test with -update and read the diff of %s.", diff, path)
	}
}

func server(name, endpoint string, weight, active, inactive int) topology.RealServer {
	return topology.RealServer{Name: name, Endpoint: netip.MustParseAddrPort(endpoint), Weight: weight, Active: active, Inactive: inactive}
}

// pair is the usual system.
func pair() topology.Picture {
	return topology.Picture{
		Directors: []topology.Director{{Name: "b", State: "backup"}, {Name: "a", State: "master"}},
		VIPs: []topology.VIP{{
			Address: netip.MustParseAddr("192.0.2.229"), Directors: []string{"a", "b"}, Holders: []string{"a"},
			Services: []topology.Service{{
				Name: "redis", Protocol: "tcp", Port: 6379, Scheduler: "rr",
				RealServers: []topology.RealServer{server("b", "192.0.2.12:6379", 1, 11, 2), server("a", "192.0.2.11:6379", 1, 12, 345)},
			}},
		}},
	}
}

// troubled has everything that can be seen of a system in trouble.
func troubled() topology.Picture {
	p := pair()
	down := server("b", "192.0.2.12:6379", 1, 0, 0)
	down.Down = true
	p.Directors = append(p.Directors, topology.Director{Name: "c", State: "fault", Drain: true}, topology.Director{Name: "d", State: "stopped"}, topology.Director{Name: "e"})
	p.VIPs[0].Holders = []string{"b", "a"}
	p.VIPs[0].Services = append(p.VIPs[0].Services,
		topology.Service{Name: "lost", Protocol: "tcp", Port: 80, Scheduler: "wlc", QuorumLost: true, RealServers: []topology.RealServer{down}},
		topology.Service{Name: "new", Protocol: "tcp", Port: 81, Scheduler: "wlc", RealServers: []topology.RealServer{{Endpoint: netip.MustParseAddrPort("192.0.2.12:81"), Weight: 1, Unchecked: true}}},
		topology.Service{Protocol: "udp", Port: 53, Scheduler: "rr", RealServers: []topology.RealServer{server("", "192.0.2.11:53", 0, 3, 0)}},
		topology.Service{Name: "gone", Protocol: "tcp", Port: 443, Missing: true})
	p.VIPs = append(p.VIPs, topology.VIP{Address: netip.MustParseAddr("2001:db8::229"), Directors: []string{"c"}})
	return p
}

func TestPicturesAreDrawn(t *testing.T) {
	for name, p := range map[string]topology.Picture{"pair": pair(), "troubled": troubled(), "empty": {}} {
		golden(t, name+".mmd", p.Mermaid())
		golden(t, name+".svg", p.SVG())
	}
}

func TestOrderOfThePartsMakesNoDifferenceAndIsLeftAsItIs(t *testing.T) {
	p := troubled()
	mermaid, svg := p.Mermaid(), p.SVG()
	if p.Directors[0].Name != "b" || p.VIPs[0].Services[0].RealServers[0].Name != "b" || p.VIPs[0].Holders[0] != "b" {
		t.Error("drawing changed the order of the picture's own parts")
	}
	slices.Reverse(p.Directors)
	slices.Reverse(p.VIPs)
	for _, v := range p.VIPs {
		slices.Reverse(v.Holders)
		slices.Reverse(v.Services)
		for _, s := range v.Services {
			slices.Reverse(s.RealServers)
		}
	}
	if p.Mermaid() != mermaid || p.SVG() != svg {
		t.Error("the drawing is another one")
	}
}

// named is a picture with a name in every place that has one.
func named(name string) topology.Picture {
	p := pair()
	p.Directors[0].Name, p.Directors[0].State = name, name
	p.VIPs[0].Holders = []string{name}
	s := &p.VIPs[0].Services[0]
	s.Name, s.Scheduler, s.RealServers[0].Name = name, name, name
	return p
}

var (
	entity = regexp.MustCompile(`#[0-9]+;`)
	label  = regexp.MustCompile(`^    \w+(?:\[|\(\[|\()"([^"]*)<br/>([^"]*)"(?:\]|\]\)|\)):::(?:idle|well|ill)$`)
	edge   = regexp.MustCompile(`^    \w+ (?:==>|-->|-\.->|-\.-) \w+$`)
	class  = regexp.MustCompile(`^    classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}$`)
)

// wellFormed holds a drawing against the grammar: the name is text in it, no more.
func wellFormed(t *testing.T, p topology.Picture) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(p.Mermaid(), "\n"), "\n")
	for i, line := range lines {
		m := label.FindStringSubmatch(line)
		switch {
		case i == 0 && line == "flowchart LR", edge.MatchString(line), class.MatchString(line):
		case m == nil:
			t.Errorf("Mermaid line %d: %q", i+1, line)
		case strings.ContainsAny(entity.ReplaceAllString(m[1]+m[2], ""), "\"<>&#;`[]{}|\\"):
			t.Errorf("Mermaid line %d has more than text: %q", i+1, line)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(p.SVG()))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("SVG: %v\n%s", err, p.SVG())
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"svg", "title", "rect", "g", "text", "path"}, e.Name.Local) {
				t.Errorf("the SVG has an element %s", e.Name.Local)
			}
		case xml.Comment, xml.Directive, xml.ProcInst:
			t.Errorf("the SVG has %T", e)
		}
	}
}

func TestNamesAreTextAndNothingElse(t *testing.T) {
	for _, name := range []string{
		`"]:::ill; x["`, "<script>alert(1)</script>", "a & b", "#quot;", "`**bold**`", "line\nbreak\r\x00", "]]>", "<!--", "%%{init: {}}%%",
		"\xff\xfe", "redis–β 负载", "end", strings.Repeat("long ", 40), "\u2028",
	} {
		wellFormed(t, named(name))
	}
	wellFormed(t, troubled())
	const name = "Tom & <Jerry>"
	if svg := named(name).SVG(); !strings.Contains(svg, "Tom &amp; &lt;Jerry&gt;") {
		t.Errorf("the name is not shown:\n%s", svg)
	}
	if mermaid := named(name).Mermaid(); !strings.Contains(mermaid, "Tom #38; #60;Jerry#62;") {
		t.Errorf("the name is not shown:\n%s", mermaid)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("a")
	f.Add(`"]<b>&#;`)
	f.Fuzz(func(t *testing.T, name string) { wellFormed(t, named(name)) })
}
