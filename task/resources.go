package task

import (
	"fmt"
	"strconv"
	"strings"
)

// Resources is what a task needs of the machine that executes it, or what a
// machine has. 0 is nothing.
type Resources struct {
	CPU    float64 `json:"cpu,omitempty"`    // cores
	Memory int64   `json:"memory,omitempty"` // bytes
	GPU    int     `json:"gpu,omitempty"`    // devices
}

// Plus is both together.
func (r Resources) Plus(other Resources) Resources {
	return Resources{CPU: r.CPU + other.CPU, Memory: r.Memory + other.Memory, GPU: r.GPU + other.GPU}
}

// Minus is what is left without the other.
func (r Resources) Minus(other Resources) Resources {
	return Resources{CPU: r.CPU - other.CPU, Memory: r.Memory - other.Memory, GPU: r.GPU - other.GPU}
}

// Fit reports whether there is room for them in what is free. What is not
// needed fits even where there is less than nothing.
func (r Resources) Fit(free Resources) bool {
	const rounding = 1e-9 // of cores that are fractions
	return (r.CPU <= 0 || r.CPU <= free.CPU+rounding) && (r.Memory <= 0 || r.Memory <= free.Memory) && (r.GPU <= 0 || r.GPU <= free.GPU)
}

// IsZero reports whether nothing is needed.
func (r Resources) IsZero() bool { return r == Resources{} }

// String is for people: "cpu 2, memory 4 GiB, gpu 1".
func (r Resources) String() string {
	var parts []string
	if r.CPU != 0 {
		parts = append(parts, "cpu "+strconv.FormatFloat(r.CPU, 'g', 6, 64))
	}
	if r.Memory != 0 {
		parts = append(parts, "memory "+bytesText(r.Memory))
	}
	if r.GPU != 0 {
		parts = append(parts, fmt.Sprintf("gpu %d", r.GPU))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func bytesText(n int64) string {
	units := []string{"TiB", "GiB", "MiB", "KiB"}
	for i, unit := range units {
		if size := int64(1) << (10 * (len(units) - i)); n >= size || -n >= size {
			return strconv.FormatFloat(float64(n)/float64(size), 'g', 4, 64) + " " + unit
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
