package topology

import (
	"fmt"
	"strings"
	"unicode"
)

// Mermaid is the picture as a flowchart of Mermaid (mermaid.js.org), which GitHub, GitLab
// and others draw in a Markdown block of that name.
func (p Picture) Mermaid() string {
	p = p.sorted()
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	node := func(id string, part part, open, end string) {
		fmt.Fprintf(&b, "    %s%s\"%s<br/>%s\"%s:::%s\n", id, open, mermaidText(part.title), mermaidText(part.text), end, mermaidClasses[part.health])
	}
	for i, d := range p.Directors {
		node(fmt.Sprintf("d%d", i), d.part(), "[", "]")
	}
	for i, v := range p.VIPs {
		vip := fmt.Sprintf("v%d", i)
		node(vip, v.part(), "([", "])")
		for j, d := range p.Directors {
			switch configured, holds := d.of(v); {
			case holds:
				fmt.Fprintf(&b, "    d%d ==> %s\n", j, vip)
			case configured:
				fmt.Fprintf(&b, "    d%d -.- %s\n", j, vip)
			}
		}
		for j, s := range v.Services {
			service := fmt.Sprintf("%ss%d", vip, j)
			node(service, s.part(), "[", "]")
			fmt.Fprintf(&b, "    %s --> %s\n", vip, service)
			for k, r := range s.RealServers {
				server := fmt.Sprintf("%sr%d", service, k)
				node(server, r.part(), "(", ")")
				arrow := "-->"
				if r.part().health != well {
					arrow = "-.->"
				}
				fmt.Fprintf(&b, "    %s %s %s\n", service, arrow, server)
			}
		}
	}
	b.WriteString("    classDef idle fill:#eeeeee,stroke:#888888,color:#222222\n" +
		"    classDef well fill:#d9f2e0,stroke:#2e7d46,color:#222222\n" +
		"    classDef ill fill:#f8d7da,stroke:#b3261e,color:#222222\n")
	return b.String()
}

var mermaidClasses = map[health]string{idle: "idle", well: "well", ill: "ill"}

// mermaidText writes what Mermaid or HTML could read as more than text as an entity, which
// Mermaid has of its own: #NUMBER; .
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case !unicode.IsPrint(r):
			b.WriteByte(' ')
		case r > unicode.MaxASCII, unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune(" .,:-_/()", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
