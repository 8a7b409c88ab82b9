package provider

import (
	"fmt"
	"slices"
	"strings"
)

// parseVIPID takes an import id apart, ADDRESS@DIRECTOR,DIRECTOR…; what it returns is
// what the attributes' own validators take, which Terraform does not ask then.
func parseVIPID(id string) (address string, directors []string, err error) {
	bad := func(why string) (string, []string, error) {
		return "", nil, fmt.Errorf("the import id is ADDRESS@DIRECTOR,DIRECTOR…, with the address alone and the hosts of the directors, for example 192.0.2.229@a,b; %q is not, since %s", id, why)
	}
	address, names, _ := strings.Cut(id, "@")
	if err := isVIP(address); err != nil {
		return bad(err.Error())
	}
	directors = strings.Split(names, ",")
	slices.Sort(directors)
	directors = slices.Compact(directors)
	for _, name := range directors {
		if err := hostName.check(name); err != nil {
			return bad(err.Error())
		}
	}
	return address, directors, nil
}
