package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"example.com/shop/internal/shopapi"
)

//go:embed templates/*.html static
var assets embed.FS

// pages renders what api answers.
type pages struct {
	log       zerolog.Logger
	api       *shopapi.Client
	templates *template.Template
}

func newPages(log zerolog.Logger, api *shopapi.Client) (*pages, error) {
	templates, err := template.ParseFS(assets, "templates/*.html")
	return &pages{log: log, api: api, templates: templates}, err
}

func (p *pages) register(r chi.Router) {
	r.Get("/", p.products)
	r.Post("/orders", p.placeOrder)
	r.Get("/orders/{id}", p.order)
	r.Method(http.MethodGet, "/static/*", http.FileServerFS(assets))
}

func (p *pages) products(w http.ResponseWriter, r *http.Request) {
	products, err := p.api.Products(r.Context())
	if err != nil {
		p.fail(w, err)
		return
	}
	p.render(w, http.StatusOK, "products.html", products)
}

func (p *pages) placeOrder(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	if err != nil {
		p.render(w, http.StatusBadRequest, "error.html", "The quantity is not a number.")
		return
	}
	order, err := p.api.PlaceOrder(r.Context(), shopapi.NewOrder{
		Lines: []shopapi.NewOrderLine{{SKU: r.PostFormValue("sku"), Quantity: quantity}},
	})
	if err != nil {
		p.fail(w, err)
		return
	}
	http.Redirect(w, r, "/orders/"+order.ID, http.StatusSeeOther)
}

func (p *pages) order(w http.ResponseWriter, r *http.Request) {
	order, err := p.api.Order(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		p.fail(w, err)
		return
	}
	p.render(w, http.StatusOK, "order.html", order)
}

// fail shows what api said about the visitor's mistake, and nothing about ours.
func (p *pages) fail(w http.ResponseWriter, err error) {
	var answer *shopapi.Error
	if errors.As(err, &answer) && answer.Code < 500 {
		p.render(w, answer.Code, "error.html", answer.Message)
		return
	}
	p.log.Error().Err(err).Msg("api failed")
	p.render(w, http.StatusServiceUnavailable, "error.html", "The shop is closed for a moment. Try again later.")
}

// render writes a page only once it is complete, so that a broken template is no half page.
func (p *pages) render(w http.ResponseWriter, code int, name string, data any) {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, data); err != nil {
		p.log.Error().Err(err).Str("template", name).Msg("page not rendered")
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	// A visitor who has gone away is the only way this fails.
	_, _ = page.WriteTo(w)
}
