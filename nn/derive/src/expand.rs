//! From the parsed type to its impl.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Member, Result, Type, parse_quote};

/// The impl of `Module` for the type of `input`.
pub(crate) fn module(input: &DeriveInput) -> Result<TokenStream> {
    refuse_options(&input.attrs)?;
    let arms = match &input.data {
        Data::Struct(data) => vec![Arm::new(quote!(Self), &data.fields)?],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                refuse_options(&variant.attrs)?;
                let ident = &variant.ident;
                Arm::new(quote!(Self::#ident), &variant.fields)
            })
            .collect::<Result<_>>()?,
        Data::Union(data) => {
            let message = "`Module` cannot be derived for a union: nothing tells which field it holds";
            return Err(Error::new(data.union_token.span, message));
        }
    };

    let name = &input.ident;
    let mut generics = input.generics.clone();
    generics.params.push(parse_quote!(__T: ::autodiff::Float));
    let bounds = generics.make_where_clause();
    let mut seen = HashSet::new();
    for ty in arms.iter().flat_map(|arm| &arm.places).map(|place| place.ty) {
        let tokens = ty.to_token_stream();
        if seen.insert(tokens.to_string()) && !mentions(tokens, name) {
            bounds.predicates.push(parse_quote!(#ty: ::autodiff::Module<__T>));
        }
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = input.generics.split_for_impl();

    let walk = arms.iter().map(|arm| arm.tokens(&quote!(ref), &quote!(walk)));
    let walk_mut = arms.iter().map(|arm| arm.tokens(&quote!(ref mut), &quote!(walk_mut)));
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::autodiff::Module<__T> for #name #ty_generics #where_clause {
            fn walk(
                &self,
                path: &mut ::autodiff::Path,
                visit: &mut dyn ::core::ops::FnMut(&str, ::autodiff::Place<'_, __T>),
            ) {
                match *self { #(#walk)* }
            }

            fn walk_mut(
                &mut self,
                path: &mut ::autodiff::Path,
                visit: &mut dyn ::core::ops::FnMut(&str, ::autodiff::PlaceMut<'_, __T>),
            ) {
                match *self { #(#walk_mut)* }
            }
        }
    })
}

/// A struct, or one variant of an enum: what to match, and the fields to walk.
struct Arm<'a> {
    constructor: TokenStream,
    places: Vec<FieldPlace<'a>>,
}

/// A field that is walked.
struct FieldPlace<'a> {
    member: Member,
    ty: &'a Type,
}

impl<'a> Arm<'a> {
    fn new(constructor: TokenStream, fields: &'a Fields) -> Result<Self> {
        let mut places = Vec::new();
        for (field, member) in fields.iter().zip(fields.members()) {
            if !is_skipped(field)? {
                places.push(FieldPlace { member, ty: &field.ty });
            }
        }
        Ok(Self { constructor, places })
    }

    /// The match arm that binds every field with `mode` and calls `method` on each in turn.
    fn tokens(&self, mode: &TokenStream, method: &TokenStream) -> TokenStream {
        let constructor = &self.constructor;
        let (bindings, calls): (Vec<_>, Vec<_>) = self
            .places
            .iter()
            .enumerate()
            .map(|(index, FieldPlace { member, ty })| {
                let field = format_ident!("field_{index}");
                let name = match member {
                    Member::Named(ident) => ident.unraw().to_string(),
                    Member::Unnamed(index) => index.index.to_string(),
                };
                let call = quote! {
                    path.scope(#name, |path| <#ty as ::autodiff::Module<__T>>::#method(#field, path, visit));
                };
                (quote!(#member: #mode #field,), call)
            })
            .unzip();
        quote! { #constructor { #(#bindings)* .. } => { #(#calls)* } }
    }
}

/// Reads the options of a field.
fn is_skipped(field: &Field) -> Result<bool> {
    let mut skipped = false;
    for attr in options(&field.attrs) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("skip") {
                let option = meta.path.to_token_stream();
                return Err(meta.error(format!("unknown option `{option}`: a field takes `#[module(skip)]`")));
            }
            skipped = true;
            Ok(())
        })?;
    }
    Ok(skipped)
}

/// Fails where options stand on something that has none.
fn refuse_options(attrs: &[Attribute]) -> Result<()> {
    match options(attrs).next() {
        Some(attr) => Err(Error::new_spanned(attr, "`#[module(..)]` is an attribute of fields only")),
        None => Ok(()),
    }
}

fn options(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("module"))
}

/// Whether a path in `tokens` begins with the type's own name or with `Self`.
fn mentions(tokens: TokenStream, own: &Ident) -> bool {
    let mut after_colon = false;
    tokens.into_iter().any(|token| {
        let begins_path = !after_colon;
        after_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        match token {
            TokenTree::Ident(ident) => begins_path && (ident == *own || ident == "Self"),
            TokenTree::Group(group) => mentions(group.stream(), own),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        }
    })
}

#[cfg(test)]
mod tests;
