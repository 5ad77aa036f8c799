package gateway

import (
	"tradepost/internal/config"
	"tradepost/processes/steps"
)

// CheckDocuments loads the guides and maps that partnerships name. What does
// not fit is a *config.Error that shows the lines.
func CheckDocuments(c *config.Config) error {
	guides, err := steps.LoadGuides(c.Directory)
	if err == nil {
		_, err = steps.LoadMaps(c.Directory, guides)
	}
	return c.Explain(err)
}
