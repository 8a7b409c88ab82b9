package host

import (
	"strconv"
	"strings"
)

// parseRedis reads what the probe tells of an instance: "PORT ACTIVE", then "data
// USER:GROUP MODE" where there is a data directory, then, each line behind a blank, what
// redis-cli printed.
func (s *Snapshot) parseRedis(text string) error {
	head, rest, _ := strings.Cut(text, "\n")
	number, active, _ := strings.Cut(head, " ")
	port, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	state := RedisState{Running: active == "active"}
	for line := range strings.Lines(rest) {
		if said, ok := strings.CutPrefix(line, " "); ok {
			state.Said += said
		} else if data, ok := strings.CutPrefix(line, "data "); ok {
			state.Data = strings.TrimSpace(data)
		}
	}
	s.Redis[port] = state
	return nil
}
