package redisconf

import (
	"errors"
	"fmt"
	"strings"
)

// quote writes one word so that Redis and redis-cli read it back (sds.c, sdscatrepr),
// whatever bytes it is of.
func quote(word string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(word) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

var errQuotes = errors.New("its quotes are not balanced, or something follows a closing one without a blank")

// splitArgs takes a line apart as Redis does (sds.c, sdssplitargs).
func splitArgs(line string) ([]string, error) {
	const blank = " \t\n\r\v\f\x00"
	var words []string
	for {
		line = strings.TrimLeft(line, blank)
		if line == "" {
			return words, nil
		}
		var word []byte
		inside := byte(0) // the quote
		for ; ; line = line[1:] {
			if line == "" {
				if inside != 0 {
					return nil, errQuotes
				}
				break
			}
			c := line[0]
			if inside == 0 {
				if strings.IndexByte(blank, c) >= 0 {
					break
				}
				if c == '"' || c == '\'' {
					inside = c
				} else {
					word = append(word, c)
				}
				continue
			}
			switch {
			case c == inside:
				if len(line) > 1 && strings.IndexByte(blank, line[1]) < 0 {
					return nil, errQuotes
				}
				inside = 0
			case inside == '\'' && strings.HasPrefix(line, `\'`):
				word, line = append(word, '\''), line[1:]
			case inside == '"' && c == '\\' && len(line) >= 4 && line[1] == 'x' && isHex(line[2]) && isHex(line[3]):
				var b byte
				_, _ = fmt.Sscanf(line[2:4], "%02x", &b)
				word, line = append(word, b), line[3:]
			case inside == '"' && c == '\\' && len(line) > 1:
				meant, special := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'a': '\a'}[line[1]]
				if !special {
					meant = line[1]
				}
				word, line = append(word, meant), line[1:]
			default:
				word = append(word, c)
			}
		}
		words = append(words, string(word))
	}
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }
