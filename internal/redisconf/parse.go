package redisconf

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Parse reads back what [Instance.Render] wrote.
func Parse(data []byte) (Instance, error) {
	i := Instance{Settings: map[string]string{}}
	replica := Replica{}
	var points []string
	for text := range strings.Lines(string(data)) {
		text = strings.TrimSpace(text)
		if name, ok := strings.CutPrefix(text, "# "+nameComment); ok {
			i.Name = name
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		key, value, _ := strings.Cut(text, " ")
		var err error
		switch key {
		case "port":
			i.Port, err = strconv.Atoi(value)
		case "bind":
			for _, a := range strings.Fields(value) {
				var addr netip.Addr
				if addr, err = netip.ParseAddr(a); err != nil {
					break
				}
				i.Bind = append(i.Bind, addr)
			}
		case "protected-mode":
			i.Protected = value == "yes"
		case "daemonize", "supervised", "dir": // they follow from the rest
		case "databases":
			i.Databases, err = strconv.Atoi(value)
		case "maxmemory":
			i.MaxMemory = value
		case "maxmemory-policy":
			i.MaxMemoryPolicy = value
		case "appendonly":
			i.AppendOnly = value == "yes"
		case "save":
			if value != `""` {
				points = append(points, value)
			}
		case "replicaof":
			host, port, _ := strings.Cut(value, " ")
			var addr netip.Addr
			addr, err = netip.ParseAddr(host)
			replica.Master = endpoint(addr, port)
			i.ReplicaOf = &replica
		case "masteruser":
			var words []string
			if words, err = splitArgs(value); err == nil && len(words) == 1 {
				replica.User = words[0]
			}
		case "include":
			i.Password = i.Password || strings.HasSuffix(value, "/"+RequirePass)
			replica.Password = replica.Password || strings.HasSuffix(value, "/"+MasterAuth)
		default:
			if value == `""` {
				value = ""
			}
			i.Settings[key] = value
		}
		if err != nil {
			return Instance{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	i.Save = cmp.Or(strings.Join(points, " "), Never)
	if i.Port == 0 {
		return Instance{}, fmt.Errorf("no port")
	}
	return i, nil
}

// endpoint is an address with a port, 0 where text is none.
func endpoint(addr netip.Addr, port string) netip.AddrPort {
	number, _ := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(addr, uint16(number))
}
