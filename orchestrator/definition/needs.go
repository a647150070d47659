package definition

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deedrun/deed/task"
)

// The most that a task may need.
const (
	MaxCPU    = 10_000  // cores
	maxMemory = 1 << 50 // bytes: 1 PiB
	MaxGPU    = 1_000
)

// needNames are what a task may need, in the order in which it is written.
var needNames = []string{"cpu", "memory", "gpu"}

// parseNeeds reads what each task needs as it is given in a setting,
// "cpu=2,memory=4GiB,gpu=1": some of them, each once.
func parseNeeds(text string) (r task.Resources, err error) {
	err = parseAmounts(text, "needed", "cpu=2,memory=4GiB,gpu=1", needNames, func(name, value string) (err error) {
		switch name {
		case "cpu":
			r.CPU, err = ParseCPU(value)
		case "memory":
			r.Memory, err = ParseMemory(value)
		case "gpu":
			r.GPU, err = ParseGPU(value)
		}
		return err
	})
	return r, err
}

// parseAmounts reads how much of what, and hands each to set; what is done with it,
// and what it looks like, is said to who wrote it otherwise.
func parseAmounts(text, done, like string, names []string, set func(name, value string) error) error {
	given := map[string]bool{}
	for _, word := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(word), "=")
		name = strings.TrimSpace(name)
		switch {
		case !ok:
			return fmt.Errorf("%s says not what is %s: write it like %s", quote(text), done, like)
		case given[name]:
			return fmt.Errorf("%s is %s twice in %s: write it once", quote(name), done, quote(text))
		case !slices.Contains(names, name):
			var spell Speller
			return fmt.Errorf("%s is nothing that can be %s: %s", quote(name), done, spell.Choice(name, names))
		}
		given[name] = true
		if err := set(name, strings.TrimSpace(value)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// writeNeeds writes what parseNeeds reads.
func writeNeeds(r task.Resources) string {
	var words []string
	if r.CPU != 0 {
		words = append(words, "cpu="+strconv.FormatFloat(r.CPU, 'f', -1, 64))
	}
	if r.Memory != 0 {
		words = append(words, "memory="+writeMemory(r.Memory))
	}
	if r.GPU != 0 {
		words = append(words, "gpu="+strconv.Itoa(r.GPU))
	}
	return orNone(len(words) > 0, strings.Join(words, ","))
}

// ParseCPU reads a number of cores, "2" or "0.5".
func ParseCPU(text string) (float64, error) {
	cores, err := strconv.ParseFloat(text, 64)
	switch fine := math.Round(cores * 1000); {
	case err != nil:
		if thousandths, ok := strings.CutSuffix(text, "m"); ok {
			if n, err := strconv.Atoi(thousandths); err == nil && n > 0 {
				return 0, fmt.Errorf("%s is no number of cores: did you mean %s?", quote(text), number(float64(n)/1000))
			}
		}
		return 0, fmt.Errorf("%s is no number of cores: write it like 2, or 0.5", quote(text))
	case !(cores > 0 && cores <= MaxCPU):
		return 0, fmt.Errorf("%s cores are not more than 0 and at most %d; leave it out if none is needed", clip(text), MaxCPU)
	case fine/1000 != cores:
		return 0, fmt.Errorf("%s cores have more than 3 decimals: did you mean %s?", clip(text), number(max(fine, 1)/1000))
	}
	return cores, nil
}

// ParseGPU reads a number of devices.
func ParseGPU(text string) (int, error) {
	n, ok := wholeNumber(text)
	switch {
	case !ok:
		return 0, fmt.Errorf("%s is no number of devices: write it like 1", quote(text))
	case n < 1 || n > MaxGPU:
		return 0, fmt.Errorf("%s devices are not between 1 and %d; leave it out if none is needed", clip(text), MaxGPU)
	}
	return n, nil
}

// sizes are the units of memory: those with an i are powers of 1024, the others of 1000.
var sizes = []struct {
	unit  string
	bytes int64
}{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"TB", 1e12},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

// ParseMemory reads a size, "4GiB", "1.5 GB" or "512MiB". A number without a unit is
// refused: whether it stands for bytes or for megabytes is anybody's guess.
func ParseMemory(text string) (int64, error) {
	amount := text[:len(text)-len(strings.TrimLeft(text, "0123456789."))]
	n, err := strconv.ParseFloat(amount, 64)
	unit := strings.TrimLeft(text[len(amount):], " ")
	if err != nil {
		return 0, fmt.Errorf("%s is no size: write it like 4GiB, 512MiB or 20GB", quote(text))
	}
	for _, s := range sizes {
		if s.unit != unit {
			continue
		}
		bytes := math.Round(n * float64(s.bytes))
		if bytes < 1 || bytes > maxMemory {
			return 0, fmt.Errorf("%s is not more than 0 and at most 1024TiB; leave it out if none is needed", quote(text))
		}
		return int64(bytes), nil
	}
	return 0, fmt.Errorf("%s %s", quote(text), nearSize(clip(amount), unit))
}

// nearSize says how a size is written whose unit is none.
func nearSize(amount, unit string) string {
	lower := strings.ToLower(unit)
	for _, s := range sizes {
		if strings.EqualFold(s.unit, unit) {
			return fmt.Sprintf("is no size: did you mean %s%s?", amount, s.unit)
		}
	}
	if lower == "" {
		return fmt.Sprintf("has no unit: write %sGiB, %sMiB, or %sB for bytes", amount, amount, amount)
	}
	if strings.ContainsAny(lower[:1], "kmgt") && len(lower) <= 2 {
		letter := strings.ToUpper(lower[:1])
		return fmt.Sprintf("is no size: did you mean %s%siB, or %s%sB?", amount, letter, amount, letter)
	}
	return "is no size: its unit is one of KiB, MiB, GiB, TiB, KB, MB, GB, TB and B"
}

// writeMemory writes a size as an author would: in the unit that gives the
// smallest whole number.
func writeMemory(bytes int64) string {
	least, unit := bytes, "B"
	for _, s := range sizes {
		if bytes%s.bytes == 0 && bytes/s.bytes < least {
			least, unit = bytes/s.bytes, s.unit
		}
	}
	return strconv.FormatInt(least, 10) + unit
}
