package definition

import (
	"errors"
	"slices"
	"strings"
)

// Set is the definition with one setting changed, for a process that runs:
// "count.timeout" of a step, "clean.retry.attempts" of all steps inside a group,
// whatever they said themselves, or "deadline" of the process. It takes the
// settings that [Resolve] takes, and refuses them in the same words; none lifts
// a timeout, a parallelism, a pool, needs, a rate, and all settings of the process. The given definition stays as it is.
func Set(d Definition, setting, value string) (Definition, error) {
	set, faults := addressesOf(d).read(setting, value)
	if len(faults) > 0 {
		reasons := make([]error, len(faults))
		for i, f := range faults {
			reasons[i] = errors.New(f.String())
		}
		return Definition{}, errors.Join(reasons...)
	}
	if set.address == "" {
		set.whole.apply(&d)
		return d, nil
	}
	d.Steps = slices.Clone(d.Steps)
	for i := range d.Steps {
		if at := d.Steps[i].Address; at == set.address || strings.HasPrefix(at, set.address+"/") {
			set.settings.apply(&d.Steps[i])
		}
	}
	return d, nil
}

// addressesOf finds the groups again that the addresses of steps go through.
func addressesOf(d Definition) addressBook {
	groups := map[string]bool{} // false: a step
	var addresses []string
	add := func(address string, group bool) {
		if _, known := groups[address]; !known {
			groups[address] = group
			addresses = append(addresses, address)
		}
	}
	for _, s := range d.Steps {
		for i := range s.Address {
			if s.Address[i] == '/' {
				add(s.Address[:i], true)
			}
		}
		add(s.Address, false)
	}
	return addressBook{addresses: addresses, spell: &Speller{}, find: func(address string) (group, ok bool) {
		group, ok = groups[address]
		return group, ok
	}}
}
