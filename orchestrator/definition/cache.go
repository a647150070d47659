package definition

import "fmt"

// ParseCache reads whether results of earlier tasks will do: "true", "false", or
// "refresh", which leaves results for later ones, and takes none.
func ParseCache(text string) (Cache, error) {
	switch text {
	case "true":
		return CacheUse, nil
	case "false":
		return "", nil
	case "refresh":
		return CacheRefresh, nil
	}
	return "", fmt.Errorf("%s is neither true nor false, nor refresh", quote(text))
}
