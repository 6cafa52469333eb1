package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

type deliveriesPage struct {
	frame
	App          appView
	HookURL      string
	CanRedeliver bool
	Deliveries   []deliveryView
	Pager        pagerView
}

type deliveryView struct {
	ID              int64
	GUID, Event     string
	Icon, Class     string
	Outcome         string
	Duration        string
	Time            timeView
	Redelivery      bool
	Open            bool // its details are shown at once
	RequestHeaders  []headerView
	Payload         string
	StatusCode      int
	ResponseHeaders []headerView
	Response        string
}

type headerView struct{ Name, Value string }

func (s *Server) registerAppPages(mux *http.ServeMux) {
	s.show(mux, "/apps/{slug}", "deliveries", func(v *visit) (any, error) {
		if v.s.appsBySlug[v.PathValue("slug")] == nil {
			return nil, notFound()
		}
		return nil, &movedPage{to: deliveriesPath(v.PathValue("slug"))}
	})
	s.show(mux, "/settings/apps/{slug}/deliveries", "deliveries", deliveriesPageOf)
	s.act(mux, "/settings/apps/{slug}/deliveries/{id}/attempts", redeliverFromPage)
}

func deliveriesPath(slug string) string {
	return "/settings/apps/" + url.PathEscape(slug) + "/deliveries"
}

// findApp finds the app that the path names, for those who look after it.
func (v *visit) findApp() (*app, error) {
	a := v.s.appsBySlug[v.PathValue("slug")]
	if a == nil {
		return nil, notFound()
	}
	if !v.manages(a) {
		return nil, fail(http.StatusForbidden, "Only those who own the app, or administer an account that it is installed on, see what it was sent. Choose somebody else (top right).")
	}
	return a, nil
}

func (v *visit) manages(a *app) bool {
	if v.who == nil {
		return false
	}
	accounts := []*account{a.owner}
	for _, inst := range a.installations {
		accounts = append(accounts, inst.account)
	}
	return slices.ContainsFunc(accounts, func(owner *account) bool {
		m := owner.members[v.who.id]
		return owner == v.who || (m != nil && m.role == "admin")
	})
}

func deliveriesPageOf(v *visit) (any, error) {
	a, err := v.findApp()
	if err != nil {
		return nil, err
	}
	page := deliveriesPage{frame: v.frame("Deliveries of "+a.name, ""), App: appView{Name: a.name, Slug: a.slug}, HookURL: a.hookURL, CanRedeliver: a.hookURL != ""}
	page.Crumb = "Apps / " + a.name
	shown, pager := pageOfList(v, a.sender.logged(), listSize)
	page.Pager = pager
	open := v.URL.Query().Get("open")
	for _, d := range shown {
		view := v.viewDelivery(d)
		view.Open = open == strconv.FormatInt(d.id, 10)
		page.Deliveries = append(page.Deliveries, view)
	}
	return page, nil
}

func (v *visit) viewDelivery(d *delivery) deliveryView {
	view := deliveryView{ID: d.id, GUID: d.guid, Event: d.event, Time: v.ago(d.at), Redelivery: d.redelivery,
		Duration: d.duration.Round(100 * time.Microsecond).String(), Icon: "check", Class: "success", Outcome: d.status,
		StatusCode: d.code, RequestHeaders: viewHeader(d.reqHeader), ResponseHeaders: viewHeader(d.respHeader),
		Payload: indented(d.payload), Response: d.respPayload}
	if d.action != "" {
		view.Event += "." + d.action
	}
	if d.code < 200 || d.code >= 400 {
		view.Icon, view.Class = "cross", "failure"
	} else {
		view.Outcome = fmt.Sprintf("%d %s", d.code, http.StatusText(d.code))
	}
	return view
}

func viewHeader(header http.Header) []headerView {
	var views []headerView
	for _, name := range slices.Sorted(maps.Keys(header)) {
		views = append(views, headerView{Name: name, Value: header.Get(name)})
	}
	return views
}

func indented(payload []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, payload, "", "  "); err != nil {
		return string(payload)
	}
	return out.String()
}

// redeliverFromPage asks for the redelivery as the app itself would.
func redeliverFromPage(v *visit) (string, error) {
	var a *app
	var err error
	v.s.view(func() { a, err = v.findApp() })
	if err != nil {
		return "", err
	}
	if _, err := v.restAs(&actor{app: a}, http.MethodPost, "/app/hook/deliveries/"+url.PathEscape(v.PathValue("id"))+"/attempts", nil); err != nil {
		return "", err
	}
	return deliveriesPath(a.slug), nil
}
