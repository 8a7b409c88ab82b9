package topology

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Measures of the drawing, in pixels.
const (
	boxWidth, boxHeight = 260, 48
	columnGap, rowGap   = 70, 14
	margin              = 16
	// The numbers of characters that a box has room for, in the bold line and the other.
	titleFits, textFits = 32, 40
)

// The columns.
const (
	directorColumn = iota
	vipColumn
	serviceColumn
	realServerColumn
	columns
)

type colours struct{ fill, stroke string }

var palette = map[health]colours{idle: {"#eeeeee", "#888888"}, well: {"#d9f2e0", "#2e7d46"}, ill: {"#f8d7da", "#b3261e"}}

// SVG is the picture as a document of its own, with nothing in it that is fetched or run.
func (p Picture) SVG() string {
	p = p.sorted()
	var d drawing
	row := 0
	vips := make([]int, len(p.VIPs)) // their middles
	for i, v := range p.VIPs {
		first := row
		middles := make([]int, len(v.Services))
		for j, s := range v.Services {
			middles[j] = d.service(s, &row)
		}
		if len(v.Services) == 0 {
			row++
		}
		vips[i] = middle(first, row)
		d.box(vipColumn, vips[i], v.part())
		for _, y := range middles {
			d.line(vipColumn, vips[i], y, well, false)
		}
	}
	rows := max(row, len(p.Directors), 1)
	top := (rows - len(p.Directors)) * (boxHeight + rowGap) / 2
	for i, director := range p.Directors {
		y := top + middle(i, i+1)
		d.box(directorColumn, y, director.part())
		for j, v := range p.VIPs {
			configured, holds := director.of(v)
			switch {
			case holds:
				d.line(directorColumn, y, vips[j], v.part().health, true)
			case configured:
				d.line(directorColumn, y, vips[j], idle, false)
			}
		}
	}
	width := columns*boxWidth + (columns-1)*columnGap + 2*margin
	height := rows*(boxHeight+rowGap) - rowGap + 2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img">
<title>Load balancer</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
%s%s</svg>
`, width, height, width, height, d.lines.String(), d.boxes.String())
}

// drawing gathers boxes, and lines that go below them.
type drawing struct{ boxes, lines strings.Builder }

// middle is the height of the middle of rows.
func middle(first, end int) int { return margin + ((first+end)*(boxHeight+rowGap)-rowGap)/2 }

func left(column int) int { return margin + column*(boxWidth+columnGap) }

// service draws a service with its real servers from the row on, and returns its middle.
func (d *drawing) service(s Service, row *int) int {
	first := *row
	*row += max(len(s.RealServers), 1)
	y := middle(first, *row)
	d.box(serviceColumn, y, s.part())
	for i, r := range s.RealServers {
		at := middle(first+i, first+i+1)
		d.box(realServerColumn, at, r.part())
		d.line(serviceColumn, y, at, r.part().health, false)
	}
	return y
}

func (d *drawing) box(column, y int, p part) {
	c, x := palette[p.health], left(column)
	fmt.Fprintf(&d.boxes, `<g><title>%s: %s</title>
<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="%s"/>
<text x="%d" y="%d" text-anchor="middle" font-weight="bold" fill="#222222">%s</text>
<text x="%d" y="%d" text-anchor="middle" font-size="12" fill="#222222">%s</text></g>
`, escaped(p.title), escaped(p.text), x, y-boxHeight/2, boxWidth, boxHeight, c.fill, c.stroke,
		x+boxWidth/2, y-5, escaped(shortened(p.title, titleFits)), x+boxWidth/2, y+13, escaped(shortened(p.text, textFits)))
}

// line leads from a box to one of the next column.
func (d *drawing) line(column, from, to int, h health, thick bool) {
	style := `stroke-width="1.5"`
	if thick {
		style = `stroke-width="4"`
	}
	if h != well {
		style += ` stroke-dasharray="5 4"`
	}
	x, end := left(column)+boxWidth, left(column+1)
	fmt.Fprintf(&d.lines, `<path d="M%d %d C%d %d %d %d %d %d" fill="none" stroke="%s" %s/>
`, x, from, x+columnGap/2, from, end-columnGap/2, to, end, to, palette[h].stroke, style)
}

func shortened(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// escaped is text within an element. What XML 1.0 has no way to write, a control character
// or a byte that is no UTF-8, becomes U+FFFD.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
